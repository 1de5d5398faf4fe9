import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { importPKCS8 } from 'jose';
import * as openid from 'openid-client';
import type { Deployment } from '../support/deployment.ts';
import { setCompatibility } from './administrator.ts';
import { AuthApplication } from './auth-js.ts';
import { byCertificate, bySecret, signIn } from './msal.ts';
import { discovered, signIn as signInByOpenid } from './openid.ts';
import { ALICE, CONTOSO, certificate, servedOrganizations, WEB } from './organizations.ts';
import { PassportApplication } from './passport.ts';

/** What each client does as its own page shows it: resolves where it worked. */
type Flow = (deployment: Deployment) => Promise<unknown>;

const SCOPES = ['User.Read'];

/** Client → its flow, the settings that it can not do without, and where it fails without them. */
const CLIENTS: Readonly<Record<string, { readonly flow: Flow; readonly needs: readonly string[] }>> = {
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

const needing = (...settings: readonly string[]) =>
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
    expect(expected).toEqual(['@azure/msal-node by certificate', 'passport-openidconnect']);
    expect(await failing(OFF)).toEqual(expected);
    expect(await failing({})).toEqual(expected);
  });

  test.each(['pkceOptional', 'assertionReuse', 'idTokenSignedResponseAlg'] as const)(
    'works with %s alone off, but for exactly those that need it',
    async (setting) => {
      expect(await failing({ ...ON, [setting]: OFF[setting] })).toEqual(needing(setting));
    },
  );
});
