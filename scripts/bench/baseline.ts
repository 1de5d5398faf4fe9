// What the library alone can do: one issuer, one static client, client credentials, ES256 JWT access tokens, nothing
// stored. Run it with `node scripts/bench/baseline.ts PORT`; it prints the token endpoint and a body that it accepts.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.argv[2] ?? 8490);
const resource = 'https://api.example';
const client = { client_id: 'baseline', client_secret: 'baseline-secret-of-forty-three-characters--' };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      ...client,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  jwks: {
    keys: [
      {
        ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
        alg: 'ES256',
        use: 'sig',
      },
    ],
  },
  scopes: ['api'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: 'api',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

createServer(provider.callback()).listen(port, '127.0.0.1', () => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...client, resource, scope: 'api' });
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/token`, body: `${body}` }));
});
