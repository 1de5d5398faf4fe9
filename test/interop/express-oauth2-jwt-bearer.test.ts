import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { type Callers, callersOf } from './callers.ts';
import { ALICE, CONTOSO, LEDGER, servedOrganizations, WEB } from './organizations.ts';

let deployment: Deployment;
let callers: Callers;
let server: Server;

beforeAll(async () => {
  deployment = await servedOrganizations();
  callers = await callersOf(deployment);
  const issuerBaseURL = `${deployment.origin}/${CONTOSO.id}/v2.0`;
  // `strict` is RFC 9068: typ at+jwt and every required claim.
  const bearer = (audience: string) => auth({ issuerBaseURL, audience, strict: true, tokenSigningAlg: 'ES256' });
  const app = express();
  app.get('/entries', bearer(LEDGER.appId), requiredScopes('Entries.Read'), (request, response) => {
    response.json(request.auth?.payload);
  });
  app.get('/approvals', bearer(LEDGER.appId), requiredScopes('Entries.Approve'), (_request, response) => {
    response.json('approved');
  });
  app.get('/directory', bearer(DIRECTORY_APP_ID), (_request, response) => {
    response.json('directory');
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
}, 240_000);

afterAll(async () => {
  server?.close().closeAllConnections();
  await deployment?.end();
});

async function ask(path: string, token: string) {
  const { port } = server.address() as AddressInfo; // listening on TCP
  const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, challenge, body: response.ok ? await response.json() : await response.text() };
}

describe('express-oauth2-jwt-bearer', () => {
  test('accepts a token for its API by the issuer’s metadata, strictly (RFC 9068)', async () => {
    const { status, body } = await ask('/entries', callers.right);
    expect(status).toBe(200);
    expect(body).toMatchObject({ aud: LEDGER.appId, azp: WEB.appId, preferred_username: ALICE.username });
  });

  test('wants the scope: insufficient_scope', async () => {
    expect(await ask('/approvals', callers.right)).toMatchObject({
      ...{ status: 403, challenge: expect.stringContaining('insufficient_scope') },
    });
  });

  test.each([
    ['another audience', '/entries', () => callers.ofAnotherAudience],
    ['another organization', '/directory', () => callers.ofAnotherTenant],
    ['an ID token', '/entries', () => callers.idToken],
    ['a token that was changed', '/entries', () => `${callers.right.slice(0, -8)}AAAAAAAA`],
  ])('refuses %s: invalid_token', async (_what, path, token) => {
    expect(await ask(path, token())).toMatchObject({
      ...{ status: 401, challenge: expect.stringContaining('invalid_token') },
    });
  });
});
