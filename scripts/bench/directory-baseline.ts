// What koa, pg and jose alone can do: verify the bearer token's signature, issuer, audience and times, read one user by
// primary key, answer. No live state, no consent, no row level security. PORT, DATABASE, ISSUER and AUDIENCE in argv.
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import Koa from 'koa';
import pg from 'pg';

const [, , port, database, issuer = '', audience = ''] = process.argv;
const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/v2\.0$/, '')}/discovery/v2.0/keys`));
const pool = new pg.Pool({ connectionString: database });
const PATH = /^\/v1\.0\/users\/([0-9a-f-]{36})$/;

const app = new Koa();
app.use(async (ctx) => {
  const token = /^Bearer (.+)$/.exec(ctx.get('authorization'))?.[1] ?? '';
  const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' });
  const { rows } = await pool.query({
    name: 'read-user',
    text: `select id, user_principal_name as "userPrincipalName", display_name as "displayName", given_name as "givenName",
        surname, mail, job_title as "jobTitle", account_enabled as "accountEnabled", user_type as "userType",
        created_at as "createdDateTime", last_password_change_at as "lastPasswordChangeDateTime",
        sign_in_sessions_valid_from as "signInSessionsValidFromDateTime"
      from users where tenant_id = $1 and id = $2`,
    values: [payload.tid, PATH.exec(ctx.path)?.[1]],
  });
  ctx.status = rows[0] ? 200 : 404;
  ctx.body = rows[0] ?? { error: 'not found' };
});

createServer(app.callback()).listen(Number(port), '127.0.0.1', () => console.log('ready'));
