import type { Permit } from '../store/permit.ts';
import { directoryRoleNamed } from '../vocabulary/directory-roles.ts';
import { enqueue } from './outbox.ts';

/** Days before its end at which a credential is warned of, each once. */
const DAYS = [30, 7, 1];

const rolesNamed = (...names: string[]) => names.map((name) => directoryRoleNamed(name)?.id ?? '');
/** Who is told where nobody owns the application; the second where there are none of the first. */
const CARETAKERS = [
  rolesNamed('Application Administrator', 'Cloud Application Administrator'),
  rolesNamed('Global Administrator'),
];

interface Ending {
  readonly appId: string;
  readonly application: string;
  readonly credential: 'secret' | 'certificate';
  readonly keyId: string;
  readonly name: string;
  readonly endsAt: Date;
  readonly days: number;
  readonly owners: readonly string[];
}

/**
 * Puts a warning into the outbox for every secret and certificate that ends soon: to the people who own the application,
 * else to those who look after applications. None of a credential that was made for less time than the warning is ahead.
 * @returns how many people are to be told, of what was told before too
 */
export async function warnOfCredentials(permit: Permit<'directory/applications/credentials/warn'>): Promise<number> {
  const ending = await permit.query<Ending & Record<string, unknown>>({
    text: `with credentials as (
        select c.application_id, 'secret' as credential, c.key_id::text as key_id, c.display_name, c.start_at, c.end_at
          from password_credentials c where c.tenant_id = $1
        union all
        select a.id, 'certificate', k ->> 'keyId', k ->> 'displayName', (k ->> 'startDateTime')::timestamptz,
            (k ->> 'endDateTime')::timestamptz
          from applications a, jsonb_array_elements(a.key_credentials) k where a.tenant_id = $1)
      select a.app_id as "appId", a.display_name as application, c.credential, c.key_id as "keyId",
        coalesce(nullif(c.display_name, ''), c.key_id) as name, c.end_at as "endsAt", w.days,
        array(select u.id from application_owners o join users u on u.tenant_id = o.tenant_id and u.id = o.user_id
          where o.tenant_id = $1 and o.application_id = a.id and u.account_enabled order by u.id) as owners
      from credentials c join applications a on a.tenant_id = $1 and a.id = c.application_id and not a.is_disabled
      cross join lateral (select min(d) as days from unnest($2::int[]) d
        where c.end_at <= now() + make_interval(days => d)) w
      where c.end_at > now() and coalesce(c.start_at, '-infinity') < c.end_at - make_interval(days => w.days)
      order by c.end_at, c.key_id limit 1000`,
    values: [permit.tenantId, DAYS],
  });
  if (ending.length === 0) return 0;
  const caretakers = await readCaretakers(permit);
  const notices = ending.flatMap(({ appId, application, credential, keyId, name, endsAt, days, owners }) =>
    (owners.length > 0 ? owners : caretakers).map((recipient) => ({
      kind: 'credentialExpiring' as const,
      channel: 'mail' as const,
      recipient,
      subjectId: `${keyId}:${days}`,
      parameters: { application, appId, credential, name, endsAt: endsAt.toISOString() },
    })),
  );
  await enqueue(permit, notices);
  return notices.length;
}

async function readCaretakers(permit: Permit<'directory/applications/credentials/warn'>): Promise<string[]> {
  for (const roles of CARETAKERS) {
    const people = await permit.query<{ id: string }>({
      text: `select distinct u.id from role_assignments r join users u on u.tenant_id = r.tenant_id and u.id = r.user_id
        where r.tenant_id = $1 and r.role_definition_id = any($2) and u.account_enabled order by u.id`,
      values: [permit.tenantId, roles],
    });
    if (people.length > 0) return people.map(({ id }) => id);
  }
  return [];
}
