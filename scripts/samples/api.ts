// An API that is called with people's tokens, and calls Microsoft Graph further down in the same people's names.
//   scripts/samples/run api
import { createServer } from 'node:http';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const {
  AZURE_AUTHORITY = '',
  AZURE_CLIENT_ID = '',
  AZURE_KNOWN_AUTHORITIES = '',
  AZURE_CLIENT_SECRET = '',
} = process.env;
const { OIDC_ISSUER = '', GRAPH_BASE_URL = '', PORT = '3003' } = process.env;

const keys = createRemoteJWKSet(new URL(`${AZURE_AUTHORITY}/discovery/v2.0/keys`));
const application = new ConfidentialClientApplication({
  auth: {
    authority: AZURE_AUTHORITY,
    clientId: AZURE_CLIENT_ID,
    clientSecret: AZURE_CLIENT_SECRET,
    knownAuthorities: AZURE_KNOWN_AUTHORITIES.split(','),
  },
});

/** @throws when the token is not for this API, of this organization, and with consent to be greeted */
async function checkedToken(authorization = ''): Promise<string> {
  const token = authorization.replace(/^Bearer /, '');
  const expected = { issuer: OIDC_ISSUER, audience: AZURE_CLIENT_ID, typ: 'at+jwt', algorithms: ['ES256'] };
  const { payload } = await jwtVerify(token, keys, expected);
  if (!String(payload.scp).split(' ').includes('Greeting.Read')) throw new Error('The scope Greeting.Read is missing.');
  return token;
}

async function greeting(token: string): Promise<object> {
  const result = await application.acquireTokenOnBehalfOf({ oboAssertion: token, scopes: ['User.Read'] });
  const me = await fetch(new URL('v1.0/me', GRAPH_BASE_URL), {
    headers: { authorization: `Bearer ${result?.accessToken}` },
  });
  if (!me.ok) throw new Error(`The directory answered ${me.status}.`);
  return { greeting: 'Hello', of: await me.json() };
}

const server = createServer(async (request, response) => {
  const answer = (status: number, body: object, headers = {}) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
  if (request.url !== '/greeting') return answer(404, { error: 'not_found' });
  try {
    const token = await checkedToken(request.headers.authorization).catch(() => undefined);
    if (token === undefined)
      return answer(401, { error: 'invalid_token' }, { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
    answer(200, await greeting(token));
  } catch (error) {
    console.error(error);
    answer(502, { error: 'the_directory_refused' });
  }
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`The API is at http://localhost:${PORT}/greeting`));
