import type { Permit } from '../store/permit.ts';
import type {
  RequestedApplication,
  RequestedScope,
  ReviewResult,
  ScopesOfApi,
} from '../vocabulary/consent-requests.ts';
import { badRequest, conflict, notFound } from '../vocabulary/errors.ts';
import { type AppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID, isPrivilegedScope } from '../vocabulary/permissions.ts';
import type { ClientFacts } from '../vocabulary/token-decision.ts';
import { type ReadRequests, STATUS } from './consent-requests.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';
import { CLIENT, CLIENT_DEFINITION } from './token-facts.ts';

type Review = Permit<'directory/appConsentRequests/review'>;

/** A request that waits for a decision, with everybody who asked. */
export interface OpenConsentRequest {
  readonly id: ObjectId;
  readonly appId: AppId;
  readonly appDisplayName: string;
  readonly requesters: readonly {
    /** Of his part. */
    readonly id: ObjectId;
    readonly userId: ObjectId;
    readonly scopes: readonly ScopesOfApi[];
  }[];
}

/**
 * The request, locked until the transaction ends: of two reviewers one decides, and nobody joins meanwhile.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_MultipleObjectsWithSameKeyValue` (409) once it is closed
 */
export async function lockOpenConsentRequest(permit: Review, id: ObjectId): Promise<OpenConsentRequest> {
  await permit.query({
    text: 'select from app_consent_requests where tenant_id = $1 and id = $2 for update',
    values: [permit.tenantId, id],
  });
  const [request] = await permit.query<OpenConsentRequest & { status: string } & Record<string, unknown>>({
    text: `select r.id, r.app_id as "appId", r.app_display_name as "appDisplayName", ${STATUS('r')} as status,
        coalesce((select jsonb_agg(jsonb_build_object('id', x.id, 'userId', x.user_id, 'scopes', x.scopes) order by x.created_at, x.id)
          from user_consent_requests x where x.tenant_id = $1 and x.app_consent_request_id = r.id), '[]') as requesters
      from app_consent_requests r where r.tenant_id = $1 and r.id = $2`,
    values: [permit.tenantId, id],
  });
  if (!request) throw notFound();
  const { status, ...open } = request;
  if (status === 'InProgress') return open;
  throw conflict(status === 'Expired' ? 'The request has expired.' : 'The request is decided already.');
}

export interface NewDecision {
  readonly requestId: ObjectId;
  /** Absent: the operator. */
  readonly reviewerId?: ObjectId | undefined;
  readonly reviewResult: ReviewResult;
  readonly justification?: string | undefined;
  readonly consentType?: 'AllPrincipals' | 'Principal' | undefined;
  readonly approved: readonly ScopesOfApi[];
}

/** Closes a request that its caller has locked, for good. */
export async function recordDecision(permit: Review, decision: NewDecision): Promise<void> {
  const { requestId, reviewerId, reviewResult, justification, consentType, approved } = decision;
  await permit.query({
    text: `insert into consent_request_decisions
        (tenant_id, id, app_consent_request_id, reviewer_id, review_result, justification, consent_type, approved)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      ...[permit.tenantId, newObjectId(), requestId, reviewerId ?? null, reviewResult],
      ...[justification ?? null, consentType ?? null, JSON.stringify(approved)],
    ],
  });
  await permit.query({
    text: `update app_consent_requests set status = 'Completed', completed_at = now() where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, requestId],
  });
}

/** The application as it is now. Binds the transaction to its id. */
export async function readRequestedApplication(permit: ReadRequests, appId: string): Promise<RequestedApplication> {
  await permit.query({ text: `select from set_config('bailiwick.app_id', $1, true)`, values: [appId] });
  const [row] = await permit.query<{ client: ClientFacts; displayName: string | null }>({
    text: `select ${CLIENT('$2::uuid', 'null::uuid')}, coalesce(a.display_name, p.display_name) as "displayName"
      from tenants t left join service_principals c on c.tenant_id = t.id and c.app_id = $2::uuid
      ${CLIENT_DEFINITION('$2::uuid')} where t.id = $1`,
    values: [permit.tenantId, appId],
  });
  if (!row) throw notFound();
  const { servicePrincipalId, isEnabled, isDefined, isDisabledByPublisher, isWithdrawn, isPending } = row.client;
  return {
    displayName: row.displayName,
    isAvailable: isDefined && !isDisabledByPublisher && !isWithdrawn && (servicePrincipalId === null || isEnabled),
    isPending,
  };
}

/** Scopes that were asked for, with the words and the state that their APIs publish now. */
export async function describeScopes(
  permit: ReadRequests,
  asked: readonly ScopesOfApi[],
): Promise<readonly RequestedScope[]> {
  const rows = await permit.query<Omit<RequestedScope, 'isPrivileged'> & Record<string, unknown>>({
    text: `select w."resourceAppId", coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') as "resourceDisplayName",
        v as value, nullif(e ->> 'adminConsentDisplayName', '') as title, nullif(e ->> 'adminConsentDescription', '') as description,
        e is not null and s.account_enabled as "isPublished"
      from jsonb_to_recordset($2::jsonb) as w ("resourceAppId" uuid, "values" jsonb)
      cross join jsonb_array_elements_text(w."values") with ordinality as named (v, place)
      left join service_principals s on s.tenant_id = $1 and s.app_id = w."resourceAppId"
      left join applications a on a.tenant_id = $1 and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      left join lateral (select e from jsonb_array_elements(coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes)) e
        where e ->> 'value' = v and coalesce((e ->> 'isEnabled')::boolean, true) limit 1) published on true
      order by 2, 1, place`,
    values: [permit.tenantId, JSON.stringify(asked)],
  });
  return rows.map((row) => ({
    ...row,
    isPublished: row.isPublished === true,
    isPrivileged: row.resourceAppId === DIRECTORY_APP_ID && isPrivilegedScope(row.value),
  }));
}

/**
 * The service principals of APIs that are here and enabled.
 * @throws DirectoryError `Request_BadRequest` when one is not
 */
export async function findResources(
  permit: Review,
  resourceAppIds: readonly string[],
): Promise<ReadonlyMap<string, ObjectId>> {
  const rows = await permit.query<{ id: ObjectId; appId: string }>({
    text: 'select id, app_id as "appId" from service_principals where tenant_id = $1 and app_id = any ($2::uuid[]) and account_enabled',
    values: [permit.tenantId, resourceAppIds],
  });
  const byAppId = new Map(rows.map(({ id, appId }) => [appId, id]));
  if (!resourceAppIds.every((appId) => byAppId.has(appId)))
    throw badRequest('scopes: An API that was asked for is no longer in the organization. Leave its permissions out.');
  return byAppId;
}
