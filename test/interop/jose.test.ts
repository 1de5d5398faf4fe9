import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { type Callers, callersOf } from './callers.ts';
import { CONTOSO, FABRIKAM, LEDGER, servedOrganizations } from './organizations.ts';
import { thrown } from './thrown.ts';

let deployment: Deployment;
let callers: Callers;
let contoso: Metadata;
let fabrikam: Metadata;

interface Metadata {
  readonly issuer: string;
  readonly jwks_uri: string;
}

beforeAll(async () => {
  deployment = await servedOrganizations();
  callers = await callersOf(deployment);
  const metadataOf = async ({ id }: { readonly id: string }) =>
    (await (await fetch(`${deployment.origin}/${id}/v2.0/.well-known/openid-configuration`)).json()) as Metadata;
  [contoso, fabrikam] = [await metadataOf(CONTOSO), await metadataOf(FABRIKAM)];
}, 240_000);

afterAll(() => deployment?.end());

/** All that an API has to do: metadata, keys, issuer, audience, type. */
function verify(token: string, audience = LEDGER.appId, keys = contoso, options: JWTVerifyOptions = {}) {
  const { issuer } = contoso;
  return jwtVerify(token, createRemoteJWKSet(new URL(keys.jwks_uri)), { issuer, audience, typ: 'at+jwt', ...options });
}

describe('jose', () => {
  test('accepts a token for its API by the issuer’s metadata', async () => {
    const { payload } = await verify(callers.right);
    expect(payload).toMatchObject({ tid: CONTOSO.id, scp: 'Entries.Read', ver: '2.0' });
  });

  test('refuses another audience: JWTClaimValidationFailed, aud', async () => {
    const error = await thrown(verify(callers.ofAnotherAudience));
    expect(error).toBeInstanceOf(errors.JWTClaimValidationFailed);
    expect(error).toMatchObject({ claim: 'aud' });
  });

  test('refuses another organization by its keys: JWKSNoMatchingKey', async () => {
    const error = await thrown(verify(callers.ofAnotherTenant, DIRECTORY_APP_ID));
    expect(error).toBeInstanceOf(errors.JWKSNoMatchingKey);
  });

  test('refuses another organization by its issuer, whoever’s keys are asked: JWTClaimValidationFailed, iss', async () => {
    const error = await thrown(verify(callers.ofAnotherTenant, DIRECTORY_APP_ID, fabrikam));
    expect(error).toMatchObject({ claim: 'iss' });
  });

  test('refuses an ID token: JWTClaimValidationFailed, typ', async () => {
    expect(await thrown(verify(callers.idToken))).toMatchObject({ claim: 'typ' });
  });

  test('with a clock ten minutes behind: JWTClaimValidationFailed, nbf; clockTolerance would settle it', async () => {
    const currentDate = new Date(Date.now() - 600_000);
    expect(await thrown(verify(callers.right, LEDGER.appId, contoso, { currentDate }))).toMatchObject({ claim: 'nbf' });
    const tolerant = { currentDate, clockTolerance: 660 };
    expect((await verify(callers.right, LEDGER.appId, contoso, tolerant)).payload.tid).toBe(CONTOSO.id);
  });
});
