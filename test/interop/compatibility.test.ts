import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { importPKCS8 } from 'jose';
import * as openid from 'openid-client';
import type { Deployment } from '../support/deployment.ts';
import { setCompatibility } from './administrator.ts';
import { AuthApplication } from './auth-js.ts';
import { debianVersion } from './debian.ts';
import { graphClient } from './graph.ts';
import { byCertificate, bySecret, signIn } from './msal.ts';
import { claimsOf, MsalPython, byCertificate as pythonsCertificate } from './msal-python.ts';
import { serverAt, signIn as signInByOauth } from './oauth.ts';
import { discovered, signIn as signInByOpenid } from './openid.ts';
import { ADA, ALICE, CONTOSO, certificate, servedOrganizations, WEB } from './organizations.ts';
import { PassportApplication } from './passport.ts';

/** What each client does as its own page shows it: resolves where it worked. */
type Flow = (deployment: Deployment) => Promise<unknown>;

const SCOPES = ['User.Read'];

type Setting = 'pkceOptional' | 'assertionReuse' | 'idTokenSignedResponseAlg';
/** Client → its flow, and the settings that it can not do without. */
type Clients = Readonly<Record<string, { readonly flow: Flow; readonly needs: readonly Setting[] }>>;

/** From a package of Debian's: in the long form, where that is installed. */
const DEBIANS: Clients = {
  'python3-msal': {
    needs: [],
    flow: async (deployment) => {
      const msal = new MsalPython(deployment, WEB, { credential: WEB.secret });
      claimsOf(await msal.signIn(ALICE, SCOPES));
      claimsOf(await msal.silent(SCOPES, true));
    },
  },
  // It signs one assertion for all who sign in within its minutes.
  'python3-msal by certificate': {
    needs: ['assertionReuse'],
    flow: async (deployment) => {
      const msal = new MsalPython(deployment, WEB, { credential: pythonsCertificate });
      for (const result of await msal.signInAll([ALICE, ADA], SCOPES)) claimsOf(result);
    },
  },
};

const CLIENTS: Clients = {
  ...(process.env.BAILIWICK_LONG && debianVersion('python3-msal') ? DEBIANS : {}),
  '@azure/msal-node': {
    needs: [],
    flow: async ({ origin }) => signIn(bySecret(origin, CONTOSO.id, WEB), origin, ALICE, { scopes: SCOPES }),
  },
  '@azure/msal-node by certificate': {
    needs: ['assertionReuse'],
    flow: async ({ origin }) => {
      const msal = byCertificate(origin, CONTOSO.id, WEB);
      const { account } = await signIn(msal, origin, ALICE, { scopes: SCOPES });
      if (account) await msal.acquireTokenSilent({ scopes: SCOPES, account, forceRefresh: true });
    },
  },
  'openid-client': {
    needs: [],
    flow: async ({ origin }) =>
      signInByOpenid(await discovered(`${origin}/${CONTOSO.id}/v2.0`, WEB, WEB.secret), ALICE),
  },
  'openid-client by certificate': {
    needs: [],
    flow: async ({ origin }) => {
      const key = (await importPKCS8(certificate.privateKey, 'RS256')) as openid.CryptoKey;
      const web = await discovered(`${origin}/${CONTOSO.id}/v2.0`, WEB, openid.PrivateKeyJwt(key));
      const { refresh_token } = await signInByOpenid(web, ALICE);
      await openid.refreshTokenGrant(web, refresh_token ?? '');
    },
  },
  'passport-openidconnect': {
    needs: ['pkceOptional'],
    flow: async ({ origin }) => {
      const application = new PassportApplication(origin);
      const { status, body } = await application.signIn(ALICE).finally(() => application.close());
      if (status !== 200) throw new Error(body.error);
    },
  },
  oauth4webapi: {
    needs: [],
    flow: async ({ origin }) =>
      signInByOauth(await serverAt(`${origin}/${CONTOSO.id}/v2.0`), WEB, ALICE, 'openid profile User.Read'),
  },
  '@microsoft/microsoft-graph-client': {
    needs: [],
    flow: async (deployment) => {
      const { origin } = deployment;
      const msal = bySecret(origin, CONTOSO.id, WEB);
      const { accessToken } = await signIn(msal, origin, ALICE, { scopes: SCOPES });
      await graphClient(deployment, accessToken).api(`/users/${ALICE.username}`).get();
    },
  },
  '@auth/core': {
    needs: [],
    flow: async ({ origin }) => {
      const application = new AuthApplication(origin);
      const end = await application.signIn(ALICE);
      if (!end.endsWith('/home')) throw new Error(`${end} ${application.errors}`);
    },
  },
};

const OFF = { pkceOptional: false, assertionReuse: false, idTokenSignedResponseAlg: 'RS256' };
const ON = { pkceOptional: true, assertionReuse: true, idTokenSignedResponseAlg: 'ES256' };

let deployment: Deployment;

beforeAll(async () => {
  deployment = await servedOrganizations();
}, 240_000);

afterAll(() => deployment?.end());

/** The clients that do not get through with these settings, in the order of their names. */
async function failing(settings: object): Promise<string[]> {
  await setCompatibility(deployment, WEB, settings);
  const failed: string[] = [];
  for (const [name, { flow }] of Object.entries(CLIENTS)) {
    await flow(deployment).catch(() => failed.push(name));
  }
  return failed.sort();
}

const needing = (...settings: readonly Setting[]) =>
  Object.entries(CLIENTS)
    .filter(([, { needs }]) => needs.some((setting) => settings.includes(setting)))
    .map(([name]) => name)
    .sort();

describe('every client here', () => {
  test('works with every compatibility setting on', async () => {
    expect(await failing(ON)).toEqual([]);
  });

  test('that needs none works with every setting off, which is the default', async () => {
    const expected = needing('pkceOptional', 'assertionReuse');
    expect(expected).toEqual(expect.arrayContaining(['@azure/msal-node by certificate', 'passport-openidconnect']));
    expect(await failing(OFF)).toEqual(expected);
    expect(await failing({})).toEqual(expected);
  });

  const settings = ['pkceOptional', 'assertionReuse', 'idTokenSignedResponseAlg'] as const;
  test.each(settings.map((setting) => [setting, needing(setting).join(', ') || 'none'] as const))(
    'works with %s alone off, but for exactly those that need it: %s',
    async (setting) => {
      expect(await failing({ ...ON, [setting]: OFF[setting] })).toEqual(needing(setting));
    },
  );
});
