import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, GraphError, type PageCollection, PageIterator } from '@microsoft/microsoft-graph-client';
import type { Deployment } from '../support/deployment.ts';
import { graphClient } from './graph.ts';
import { bySecret, publicly, signIn } from './msal.ts';
import { ADA, ALICE, CAROL, CONSOLE, CONTOSO, DAEMON, LOOPBACK, PEOPLE, servedOrganizations } from './organizations.ts';
import { thrown } from './thrown.ts';

let deployment: Deployment;
/** The administrator's, and an application's that may read people. */
let ada: Client;
let daemon: Client;

beforeAll(async () => {
  deployment = await servedOrganizations();
  const { origin } = deployment;
  const asked = { scopes: ['User.ReadWrite.All'], redirectUri: `${LOOPBACK}:53682` };
  ada = graphClient(deployment, (await signIn(publicly(origin, CONTOSO.id, CONSOLE), origin, ADA, asked)).accessToken);
  const scopes = ['https://graph.microsoft.com/.default'];
  const token = await bySecret(origin, CONTOSO.id, DAEMON).acquireTokenByClientCredential({ scopes });
  daemon = graphClient(deployment, token?.accessToken ?? '');
}, 240_000);

afterAll(() => deployment?.end());

describe('@microsoft/microsoft-graph-client', () => {
  test('GET /me and a person by id, with $select', async () => {
    const me = await ada.api('/me').get();
    expect(me).toMatchObject({ userPrincipalName: ADA.username });
    const person = await daemon.api(`/users/${me.id}`).select(['id', 'displayName']).get();
    expect(
      Object.keys(person)
        .filter((name) => !name.startsWith('@'))
        .sort(),
    ).toEqual(['displayName', 'id']);
  });

  test('a person by userPrincipalName, read and changed', async () => {
    const alice = await daemon.api(`/users/${ALICE.username}`).get();
    expect(alice).toMatchObject({ userPrincipalName: ALICE.username, displayName: 'Alice Moreau' });
    await ada.api(`/users/${ALICE.username}`).update({ jobTitle: 'Pilot' });
    expect(await daemon.api(`/users/${alice.id}`).select('jobTitle').get()).toMatchObject({ jobTitle: 'Pilot' });
    expect(await thrown(daemon.api(`/users/${CAROL.username}`).get())).toMatchObject({ statusCode: 404 });
  });

  test('PageIterator goes through all pages', async () => {
    const first: PageCollection = await daemon.api('/users').top(3).select(['id', 'userPrincipalName']).get();
    expect(first.value).toHaveLength(3);
    const names: string[] = [];
    const iterator = new PageIterator(daemon, first, ({ userPrincipalName }) => {
      names.push(userPrincipalName);
      return true;
    });
    await iterator.iterate();
    expect([new Set(names).size, iterator.isComplete()]).toEqual([PEOPLE, true]);
  });

  test('$filter by the start of a name and by equality', async () => {
    const found = await daemon.api('/users').filter("startswith(displayName,'Member')").select('displayName').get();
    expect(found.value).toHaveLength(PEOPLE - 2);
    const one = await daemon.api('/users').filter(`userPrincipalName eq '${ALICE.username}'`).get();
    expect(one.value).toMatchObject([{ displayName: 'Alice Moreau' }]);
  });

  test('POST, PATCH and DELETE: a person made, changed and removed', async () => {
    const made = await ada.api('/users').post({
      ...{ accountEnabled: true, displayName: 'New Person' },
      ...{ userPrincipalName: 'new@contoso.example', passwordProfile: { password: 'cobalt-thicket-spoon-61' } },
    });
    await ada.api(`/users/${made.id}`).patch({ jobTitle: 'Pilot' });
    expect(await ada.api(`/users/${made.id}`).get()).toMatchObject({ jobTitle: 'Pilot' });
    await ada.api(`/users/${made.id}`).delete();
    expect(await thrown(ada.api(`/users/${made.id}`).get())).toMatchObject({ statusCode: 404 });
  });

  test.each([
    ['what is not there', 404, 'Request_ResourceNotFound', () => daemon.api(`/users/${CONTOSO.id}`).get()],
    ['what it may not', 403, 'Authorization_RequestDenied', () => daemon.api('/groups').post({ displayName: 'x' })],
    ['a filter that is none', 400, 'Request_BadRequest', () => daemon.api('/users').filter('nothing').get()],
    ['$batch, which is not there', 404, 'Request_ResourceNotFound', () => daemon.api('/$batch').post({ requests: [] })],
    [
      'a token that is none',
      401,
      'InvalidAuthenticationToken',
      () => graphClient(deployment, 'none').api('/users').get(),
    ],
  ])('%s is a GraphError with %i and its code', async (_what, statusCode, code, ask) => {
    const error = await thrown(ask());
    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ statusCode, code, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });
});
