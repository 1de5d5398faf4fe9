import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment } from '../support/deployment.ts';
import { setCompatibility } from './administrator.ts';
import { ALICE, servedOrganizations, WEB } from './organizations.ts';
import { PassportApplication } from './passport.ts';

let deployment: Deployment;
let application: PassportApplication;

beforeAll(async () => {
  deployment = await servedOrganizations();
  application = new PassportApplication(deployment.origin);
}, 240_000);

afterAll(async () => {
  application?.close();
  await deployment?.end();
});

describe('passport-openidconnect', () => {
  test('as the default has it: AuthorizationError, which says that PKCE is missing', async () => {
    const { status, body } = await application.signIn(ALICE);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'invalid_request', error: expect.stringMatching(/code_challenge|PKCE/) });
  });

  test('with pkceOptional: code, ID token with nonce, profile from userinfo', async () => {
    await setCompatibility(deployment, WEB, { pkceOptional: true });
    const { status, body } = await application.signIn(ALICE);
    expect(status).toBe(200);
    expect(body.profile).toMatchObject({ displayName: 'Alice Moreau', id: expect.stringMatching(/./) });
  });

  test('whose sign-in the person cancelled: fails, and is no error', async () => {
    expect(await application.signIn(ALICE, 'cancel')).toMatchObject({ status: 401, body: { error: 'Unauthorized' } });
  });
});
