import { hash } from 'node:crypto';
import type { Permit } from '../store/permit.ts';
import type { ObjectId } from '../vocabulary/ids.ts';

/** What a try to sign in is judged by. Read for unknown names too, by the same statement. */
export interface SignInCredentials {
  /** Under which tries are counted: the person, or the name where there is nobody. */
  readonly subject: string;
  readonly userId: ObjectId | null;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  /** Names of the person, which no new password may be built on. */
  readonly words: readonly string[];
  readonly isEnabled: boolean;
  readonly passwordHash: string | null;
  readonly mustChange: boolean;
  /** The password's version: changes with the password, not with how it is hashed. */
  readonly passwordVersion: string | null;
  /** Seconds since the epoch, with their fraction. */
  readonly sessionsValidFrom: number | null;
  /** The person signed in successfully with this device before. */
  readonly isFamiliar: boolean;
}

const READ = `select coalesce(u.id::text, lower($2::text)) as subject, u.id as "userId", u.user_principal_name as "userPrincipalName",
    u.display_name as "displayName",
    array_remove(array[u.user_principal_name, u.display_name, u.given_name, u.surname, u.mail], null) as words,
    coalesce(u.account_enabled and t.is_enabled, false) as "isEnabled", p.password_hash as "passwordHash",
    coalesce(p.force_change_next_sign_in, false) as "mustChange", p.changed_at::text as "passwordVersion",
    extract(epoch from u.sign_in_sessions_valid_from)::float8 as "sessionsValidFrom",
    exists (select from familiar_devices d
      where d.tenant_id = $1 and d.user_id = u.id and d.device_hash = $3 and d.expires_at > now()) as "isFamiliar"
  from tenants t left join users u on u.tenant_id = $1 and`;
const PASSWORD = 'left join user_passwords p on p.tenant_id = $1 and p.user_id = u.id where t.id = $1';

/** @param device the browser's own value, in clear; nothing when it sent none */
export async function readCredentials(
  permit: Permit<'authentication/passwords/read'>,
  { username, device = '' }: { readonly username: string; readonly device?: string | undefined },
): Promise<SignInCredentials | undefined> {
  const [row] = await permit.query<SignInCredentials>({
    name: 'read-credentials',
    text: `${READ} u.user_principal_name_key = lower($2::text) ${PASSWORD}`,
    values: [permit.tenantId, username, deviceHash(device)],
  });
  return row;
}

/** The same for a person who is known already. */
export async function readCredentialsOf(
  permit: Permit<'authentication/passwords/read'>,
  userId: ObjectId,
): Promise<SignInCredentials | undefined> {
  const [row] = await permit.query<SignInCredentials>({
    name: 'read-credentials-of',
    text: `${READ} u.id = $2::text::uuid ${PASSWORD}`,
    values: [permit.tenantId, userId, deviceHash('')],
  });
  return row;
}

/** Tries of one subject, and how they are slowed down. */
export interface ThrottleRule {
  /** Tries that may fail before the first pause. */
  readonly freeFailures: number;
  /** Seconds of the first pause; each further failure doubles it … */
  readonly firstPause: number;
  /** … up to this. */
  readonly longestPause: number;
  /** Failures in a row after which the pause is `finalPause` (NIST SP 800-63B-4, section 3.2.2: at most 100). */
  readonly mostFailures: number;
  readonly finalPause: number;
}

/**
 * Counts a try as failed before its password is looked at, so that of any number of parallel ones, at whatever
 * processes, no more are let through than one after the other would be. Success and refusal to work take it back.
 */
export async function reserveTry(
  permit: Permit<'authentication/throttles/update'>,
  { subject, rule }: { readonly subject: string; readonly rule: ThrottleRule },
): Promise<{ readonly isAllowed: boolean; readonly retryAfter: number | null }> {
  const { freeFailures, firstPause, longestPause, mostFailures, finalPause } = rule;
  const [row] = await permit.query<{ isAllowed: boolean; retryAfter: number | null }>({
    name: 'reserve-try',
    text: `with reserved as (
        insert into sign_in_throttles as t (tenant_id, subject_hash, failures) values ($1, $2, 1)
        on conflict (tenant_id, subject_hash) do update set failures = t.failures + 1,
          expires_at = now() + interval '2 days',
          locked_until = case
            when t.failures + 1 >= $6 then clock_timestamp() + make_interval(secs => $7)
            when t.failures + 1 >= $3 then clock_timestamp() + make_interval(secs => least($5, $4 * power(2, t.failures + 1 - $3)))
          end
        where t.locked_until is null or t.locked_until <= clock_timestamp()
        returning true as allowed)
      select exists (select from reserved) as "isAllowed",
        (select greatest(1, ceil(extract(epoch from locked_until - clock_timestamp())))::integer
          from sign_in_throttles where tenant_id = $1 and subject_hash = $2) as "retryAfter"`,
    values: [
      permit.tenantId,
      subjectHash(permit, subject),
      freeFailures,
      firstPause,
      longestPause,
      mostFailures,
      finalPause,
    ],
  });
  return row ?? { isAllowed: false, retryAfter: null };
}

/** Takes one reserved try back: its password was not looked at. */
export async function returnTry(permit: Permit<'authentication/throttles/update'>, subject: string): Promise<void> {
  await permit.query({
    name: 'return-try',
    text: `update sign_in_throttles set failures = greatest(0, failures - 1), locked_until = null
      where tenant_id = $1 and subject_hash = $2`,
    values: [permit.tenantId, subjectHash(permit, subject)],
  });
}

/** Forgets the failures of a subject, after a success. */
export async function clearTries(permit: Permit<'authentication/throttles/update'>, subject: string): Promise<void> {
  await permit.query({
    name: 'clear-tries',
    text: 'delete from sign_in_throttles where tenant_id = $1 and subject_hash = $2',
    values: [permit.tenantId, subjectHash(permit, subject)],
  });
}

/** Remembers the device of a successful sign-in, for half a year from now. */
export async function rememberDevice(
  permit: Permit<'authentication/throttles/update'>,
  { userId, device }: { readonly userId: string; readonly device: string },
): Promise<void> {
  await permit.query({
    name: 'remember-device',
    text: `insert into familiar_devices (tenant_id, user_id, device_hash) values ($1, $2, $3)
      on conflict (tenant_id, user_id, device_hash) do update set expires_at = excluded.expires_at`,
    values: [permit.tenantId, userId, deviceHash(device)],
  });
}

/** Stores the same password under the hash of today's parameters, unless it was changed meanwhile. */
export async function rehashPassword(
  permit: Permit<'authentication/passwords/rehash'>,
  { userId, former, fresh }: { readonly userId: string; readonly former: string; readonly fresh: string },
): Promise<void> {
  await permit.query({
    name: 'rehash-password',
    text: 'update user_passwords set password_hash = $4 where tenant_id = $1 and user_id = $2 and password_hash = $3',
    values: [permit.tenantId, userId, former, fresh],
  });
}

/**
 * Whether what was read of a person still holds: he is enabled, and his sessions were not ended since, as every change of
 * a password ends them. The row stays locked, so whatever ends them next does so after the moment that is returned.
 * Exclusively: others would pass him who waits to end them.
 * @returns seconds since the epoch, with their fraction: when the person has authenticated
 */
export async function confirmSignIn(
  permit: Permit<'authentication/throttles/update'>,
  { userId, sessionsValidFrom }: { readonly userId: string; readonly sessionsValidFrom: number | null },
): Promise<number | undefined> {
  const [row] = await permit.query<{ authenticatedAt: number }>({
    name: 'confirm-sign-in',
    text: `select greatest(extract(epoch from clock_timestamp()), extract(epoch from sign_in_sessions_valid_from))::float8
        as "authenticatedAt"
      from users where tenant_id = $1 and id = $2 and account_enabled
        and extract(epoch from sign_in_sessions_valid_from)::float8 = $3 for no key update`,
    values: [permit.tenantId, userId, sessionsValidFrom],
  });
  return row?.authenticatedAt;
}

function deviceHash(device: string): Buffer {
  return hash('sha256', device, 'buffer');
}

/** Keyed, so that the table does not tell which names were tried. */
function subjectHash(permit: Permit<'authentication/throttles/update'>, subject: string): Buffer {
  return permit.keyedHash('bailiwick/sign-in-throttles/1', `${permit.tenantId} ${subject}`);
}
