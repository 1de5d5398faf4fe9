import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addPassword } from '../../src/authorization/catalogue/applications.ts';
import { getArtifact, putArtifact } from '../../src/authorization/internal/artifacts.ts';
import { addSigningKey } from '../../src/authorization/internal/signing-keys.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { placesOf } from '../support/database-search.ts';
import { asSuperuser, aTenant, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  tenant = await aTenant(database);
});

afterAll(() => database.drop());

describe('SEC-02: a dump of the database', () => {
  test.each(['AuthorizationCode', 'RefreshToken', 'Session', 'Interaction', 'DeviceCode'])(
    'holds no %s that can be presented, nor what is in it',
    async (model) => {
      const authentication = database.authorization('authentication');
      const principal = internalPrincipal('tokenService', tenant.id);
      const [id, uid, inside] = [randomBytes(32), randomBytes(16), randomBytes(24)].map((b) => b.toString('base64url'));
      if (!id || !uid || !inside) throw new Error('no random text');
      const payload = { jti: id, cookie: inside, nested: { sessionUid: uid } };
      await authentication.performInternal(principal, putArtifact, { model, id, uid, payload, expiresIn: 60 });
      expect((await authentication.performInternal(principal, getArtifact, { model, id }))?.payload).toEqual(payload);
      expect(await placesOf(database, [id, uid, inside])).toEqual([]);
    },
  );

  test('holds no client secret, not even of a published application', async () => {
    const [id, appId] = [randomUUID(), randomUUID()];
    await asSuperuser(
      database,
      `insert into applications (tenant_id, id, app_id, display_name, sign_in_audience) values ($1, $2, $3, 'App', 'AzureADMultipleOrgs')`,
      [tenant.id, id, appId],
    );
    await asSuperuser(
      database,
      `insert into published_applications (app_id, home_tenant_id, display_name) values ($1, $2, 'App')`,
      [appId, tenant.id],
    );
    const operator = database.operator;
    const shown = await operator.perform(
      operatorOf(tenant.id),
      addPassword,
      { id, body: { passwordCredential: { displayName: 'first' } } },
      { correlationId: 'sec-02' },
    );
    const { secretText } = shown as { secretText: string }; // what the operation shows this once
    expect(secretText.length).toBeGreaterThan(40);
    expect(await placesOf(database, [secretText])).toEqual([]);
    const [copied] = await asSuperuser(database, 'select from published_password_credentials where app_id = $1', [
      appId,
    ]);
    expect(copied).toBeDefined();
  });

  test('holds no private key', async () => {
    const privateKey = randomBytes(138);
    const kid = randomUUID();
    await database.operator.performInternal(operatorOf(tenant.id), addSigningKey, {
      kid,
      algorithm: 'RS256',
      slot: 'current',
      publicJwk: { kid },
      privateKey,
    });
    const [row] = await asSuperuser<{ sealed: Buffer }>(
      database,
      'select sealed_private_key as sealed from signing_keys where kid = $1',
      [kid],
    );
    expect(row?.sealed.includes(privateKey.subarray(0, 16))).toBe(false);
  });

  test('the search finds a value in every form in which it could lie there', async () => {
    const value = randomBytes(18).toString('base64url');
    const put = (column: string, text: string, table = 'sign_ins') =>
      asSuperuser(database, `update ${table} set ${column} = ${text}`, [value]);
    const user = randomUUID();
    await asSuperuser(
      database,
      `insert into sign_ins (tenant_id, event_type, correlation_id) values ($1, 'servicePrincipal', 'x')`,
      [tenant.id],
    );
    await asSuperuser(
      database,
      'insert into users (tenant_id, id, user_principal_name, display_name) values ($1, $2, $3, $3)',
      [tenant.id, user, 'someone'],
    );
    expect(await placesOf(database, [value])).toEqual([]);
    await put('user_agent', `'before ' || $1::text || ' after'`);
    await put('decision', `jsonb_build_object('deep', jsonb_build_array($1::text))`);
    await put('web_redirect_uris', 'array[$1::text]', 'applications');
    await put('payload', `convert_to($1::text, 'UTF8')`, 'artifacts');
    await put('job_title', `encode(convert_to($1::text, 'UTF8'), 'hex')`, 'users');
    await put('given_name', `encode(convert_to($1::text, 'UTF8'), 'base64')`, 'users');
    expect(await placesOf(database, [value])).toEqual([
      'applications.web_redirect_uris',
      'artifacts.payload',
      'sign_ins.user_agent',
      'sign_ins.decision',
      'users.given_name',
      'users.job_title',
    ]);
    await expect(placesOf(database, ['short'])).rejects.toThrow('too short');
  });
});
