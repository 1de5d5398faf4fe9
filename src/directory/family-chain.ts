import { GRANTED_SCOPES } from './granted-scopes.ts';
import { OFFERED } from './offered-applications.ts';
import { OPEN_TO } from './user-assignments.ts';

/**
 * SQL: whether every family that one descends from by exchange of tokens still lives, and its application is enabled, offered
 * by its home, open to the person and still allowed to call the one that exchanged its token. Asked whenever a family is, so
 * that whatever ends one ends all that came of it, in the same moment and however it raced with an exchange. `$1` is the tenant.
 */
export const ANCESTORS_LIVE = (family: string) => `(${family}.parent_id is null or not exists (
  with recursive ancestors as (
    select ${family}.parent_id as id, ${family}.service_principal_id as called
    union select x.parent_id, x.service_principal_id from ancestors n
      join token_families x on x.tenant_id = $1 and x.id = n.id)
  select from ancestors n
  join token_families x on x.tenant_id = $1 and x.id = n.id
  join service_principals c on c.tenant_id = $1 and c.id = x.service_principal_id
  where x.revoked_at is not null or x.expires_at <= now() or not c.account_enabled
    or not ${OFFERED('c.app_id')} or not ${OPEN_TO('c', 'x.user_id')}
    or not exists (${GRANTED_SCOPES('c.id', 'n.called', 'x.user_id', 'x.created_at')})))`;
