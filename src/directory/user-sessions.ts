import type { Permit } from '../store/permit.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';

/** Seconds since the epoch, with their fraction: a session that began before is over. */
export interface SessionsEnded {
  readonly validFrom: number;
}

/** Ends every session and token family of a person that began before. */
export async function endSessions(
  permit: Permit<
    | 'directory/users/ownPassword/update'
    | 'directory/users/signInSessions/revoke'
    | 'directory/users/password/update'
    | 'directory/users/basic/update'
  >,
  userId: ObjectId,
): Promise<Written<SessionsEnded>> {
  const [row] = await permit.query<{ validFrom: number; before: Date; after: Date; userPrincipalName: string }>({
    text: `update users u set sign_in_sessions_valid_from = clock_timestamp()
      from (select sign_in_sessions_valid_from as before from users where tenant_id = $1 and id = $2 for no key update) old
      where u.tenant_id = $1 and u.id = $2
      returning old.before, u.sign_in_sessions_valid_from as after, u.user_principal_name as "userPrincipalName",
        extract(epoch from u.sign_in_sessions_valid_from)::float8 as "validFrom"`,
    values: [permit.tenantId, userId],
  });
  if (!row) throw notFound();
  const sessions = (since: Date) => ({ signInSessionsValidFromDateTime: since });
  const change = { type: 'User', id: userId, displayName: row.userPrincipalName } as const;
  return {
    value: { validFrom: row.validFrom },
    changes: [{ ...change, before: sessions(row.before), after: sessions(row.after) }],
  };
}
