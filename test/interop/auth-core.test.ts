import { OAuthCallbackError } from '@auth/core/errors';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment } from '../support/deployment.ts';
import { AuthApplication } from './auth-js.ts';
import { ALICE, servedOrganizations, WEB } from './organizations.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await servedOrganizations();
}, 240_000);

afterAll(() => deployment?.end());

describe('@auth/core', () => {
  test('signs in with its own defaults, and has a session of the person', async () => {
    const application = new AuthApplication(deployment.origin);
    expect(await application.signIn(ALICE)).toBe('https://app.example/home');
    expect(application.errors).toEqual([]);
    expect(await application.session()).toMatchObject({ user: { name: 'Alice Moreau' } });
  });

  test('given a secret that has expired: CallbackRouteError, with what the server says', async () => {
    const application = new AuthApplication(deployment.origin, WEB.expiredSecret);
    expect(await application.signIn(ALICE)).toContain('/auth/error?error=Configuration');
    expect(application.errors.map(({ name }) => name)).toEqual(['CallbackRouteError']);
    expect(await application.session()).toBeNull();
  });

  test('whose sign-in the person cancelled: OAuthCallbackError, access_denied', async () => {
    const application = new AuthApplication(deployment.origin);
    expect(await application.signIn(ALICE, 'cancel')).toBe('https://app.example/auth/signin?error=OAuthCallbackError');
    expect(application.errors).toEqual([expect.any(OAuthCallbackError)]);
  });
});
