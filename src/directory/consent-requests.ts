import type { Permit } from '../store/permit.ts';
import {
  type AppConsentRequest,
  type ConsentRequestDecision,
  countScopes,
  type MyConsentRequest,
  type ScopesOfApi,
  type UserConsentRequest,
  unionOfScopes,
} from '../vocabulary/consent-requests.ts';
import { badRequest, DirectoryError, notFound } from '../vocabulary/errors.ts';
import { type AppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED, selectList } from './listable.ts';

export type ReadRequests = Permit<
  | 'directory/appConsentRequests/standard/read'
  | 'directory/appConsentRequests/ownRequest/create'
  | 'directory/appConsentRequests/review'
>;

/** Of one person. */
const MOST_OPEN = 20;
/** Of one person at one application. */
const MOST_SCOPES = 200;

/**
 * SQL: the status of a request that the alias names. One that is overdue has expired, whether or not somebody wrote that
 * down; so has one whose every requester is gone.
 */
export const STATUS = (
  request: string,
) => `case when ${request}.status = 'InProgress' and (${request}.expires_at <= now()
  or not exists (select from user_consent_requests o where o.tenant_id = $1 and o.app_consent_request_id = ${request}.id))
  then 'Expired' else ${request}.status end`;

/** SQL: a person as others are shown him; null where there is none. */
export const PERSON = (alias: string) => `case when ${alias}.id is not null then jsonb_build_object('id', ${alias}.id,
  'displayName', ${alias}.display_name, 'userPrincipalName', ${alias}.user_principal_name) end`;

const PENDING_SCOPES = `coalesce((select jsonb_agg(distinct jsonb_build_object('displayName', v, 'resourceAppId', s ->> 'resourceAppId'))
  from user_consent_requests o cross join jsonb_array_elements(o.scopes) s cross join jsonb_array_elements_text(s -> 'values') v
  where o.tenant_id = $1 and o.app_consent_request_id = r.id), '[]')`;

const COLUMNS: Listable['columns'] = {
  id: { sql: 'r.id', type: 'guid', filter: EQUALITY },
  appId: { sql: 'r.app_id', type: 'guid', filter: EQUALITY },
  appDisplayName: { sql: 'r.app_display_name', type: 'string', filter: EQUALITY },
  status: { sql: STATUS('r'), type: 'string', filter: EQUALITY },
  pendingScopes: { sql: PENDING_SCOPES, type: 'object' },
  createdDateTime: { sql: 'r.created_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
  expiresDateTime: { sql: 'r.expires_at', type: 'dateTime', filter: ORDERED },
  completedDateTime: { sql: 'r.completed_at', type: 'dateTime', filter: ORDERED },
  reviewResult: {
    sql: `(select d.review_result from consent_request_decisions d
      where d.tenant_id = $1 and d.app_consent_request_id = r.id)`,
    type: 'string',
    filter: EQUALITY,
  },
};
const LISTED: Listable = {
  from: 'app_consent_requests r',
  tenantId: 'r.tenant_id',
  id: 'r.id',
  columns: COLUMNS,
  orderBy: [{ path: 'createdDateTime', direction: 'desc' }],
};
const OPEN: Listable = { ...LISTED, where: `${STATUS('r')} = 'InProgress'` };

const USER_COLUMNS: Listable['columns'] = {
  id: { sql: 'x.id', type: 'guid', filter: EQUALITY },
  reason: { sql: 'x.reason', type: 'string' },
  status: { sql: STATUS('r'), type: 'string', filter: EQUALITY },
  createdDateTime: { sql: 'x.created_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
  completedDateTime: { sql: 'r.completed_at', type: 'dateTime' },
  createdBy: { sql: `jsonb_build_object('user', ${PERSON('u')})`, type: 'object' },
  scopes: { sql: 'x.scopes', type: 'object' },
};
/** Of one request; and with a person given, his alone. */
const OF_REQUEST: Listable = {
  from: `user_consent_requests x
    join app_consent_requests r on r.tenant_id = x.tenant_id and r.id = x.app_consent_request_id
    join users u on u.tenant_id = x.tenant_id and u.id = x.user_id`,
  tenantId: 'x.tenant_id',
  id: 'x.id',
  where: 'x.app_consent_request_id = $2 and ($3::uuid is null or x.user_id = $3)',
  columns: USER_COLUMNS,
  orderBy: [{ path: 'createdDateTime', direction: 'asc' }],
};

export function listConsentRequests(permit: ReadRequests, query: ListQuery): Promise<Page<AppConsentRequest>> {
  return readPage<AppConsentRequest>(permit, LISTED, query);
}

/** Those that wait for a decision. */
export function listOpenConsentRequests(permit: ReadRequests, query: ListQuery): Promise<Page<AppConsentRequest>> {
  return readPage<AppConsentRequest>(permit, OPEN, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readConsentRequest(permit: ReadRequests, id: ObjectId): Promise<AppConsentRequest> {
  const [request] = await permit.query<AppConsentRequest & Record<string, unknown>>({
    text: `select ${selectList(COLUMNS)} from app_consent_requests r where r.tenant_id = $1 and r.id = $2`,
    values: [permit.tenantId, id],
  });
  if (!request) throw notFound();
  return request;
}

/** Who asked: all, or that person alone. */
export function listUserConsentRequests(
  permit: ReadRequests,
  requestId: ObjectId,
  userId: ObjectId | undefined,
  query: ListQuery,
): Promise<Page<UserConsentRequest>> {
  return readPage<UserConsentRequest>(permit, OF_REQUEST, query, [requestId, userId ?? null]);
}

/** @throws DirectoryError `Request_ResourceNotFound`, also for one that is not that person's */
export async function readUserConsentRequest(
  permit: ReadRequests,
  {
    requestId,
    id,
    userId,
  }: { readonly requestId: ObjectId; readonly id: ObjectId; readonly userId?: ObjectId | undefined },
): Promise<UserConsentRequest> {
  const [request] = await permit.query<UserConsentRequest & Record<string, unknown>>({
    text: `select ${selectList(USER_COLUMNS)} from ${OF_REQUEST.from} where x.tenant_id = $1 and ${OF_REQUEST.where} and x.id = $4`,
    values: [permit.tenantId, requestId, userId ?? null, id],
  });
  if (!request) throw notFound();
  return request;
}

/** Whether a person is among those who asked: false also when there is no such request. */
export async function isRequester(permit: ReadRequests, requestId: ObjectId, userId: ObjectId): Promise<boolean> {
  const rows = await permit.query({
    text: 'select id from user_consent_requests where tenant_id = $1 and app_consent_request_id = $2 and user_id = $3',
    values: [permit.tenantId, requestId, userId],
  });
  return rows.length > 0;
}

/** What was decided, if it was. */
export async function findConsentRequestDecision(
  permit: ReadRequests,
  requestId: ObjectId,
): Promise<ConsentRequestDecision | undefined> {
  const [decision] = await permit.query<ConsentRequestDecision & Record<string, unknown>>({
    text: `select d.review_result as "reviewResult", d.justification, d.consent_type as "consentType",
        d.approved as "approvedScopes", ${PERSON('u')} as "reviewedBy", d.created_at as "reviewedDateTime"
      from consent_request_decisions d left join users u on u.tenant_id = d.tenant_id and u.id = d.reviewer_id
      where d.tenant_id = $1 and d.app_consent_request_id = $2`,
    values: [permit.tenantId, requestId],
  });
  return decision;
}

/** His newest 100. */
export async function listMyConsentRequests(
  permit: ReadRequests,
  userId: ObjectId,
): Promise<readonly MyConsentRequest[]> {
  return permit.query<MyConsentRequest & Record<string, unknown>>({
    text: `select r.id, r.app_id as "appId", r.app_display_name as "appDisplayName", ${STATUS('r')} as status,
        x.created_at as "createdDateTime", r.expires_at as "expiresDateTime", r.completed_at as "completedDateTime",
        d.review_result as "reviewResult", d.justification, x.scopes, coalesce(d.approved, '[]') as "approvedScopes"
      from user_consent_requests x
      join app_consent_requests r on r.tenant_id = x.tenant_id and r.id = x.app_consent_request_id
      left join consent_request_decisions d on d.tenant_id = r.tenant_id and d.app_consent_request_id = r.id
      where x.tenant_id = $1 and x.user_id = $2 order by x.created_at desc, x.id limit 100`,
    values: [permit.tenantId, userId],
  });
}

export interface NewConsentRequest {
  readonly appId: AppId;
  readonly appDisplayName: string;
  readonly userId: ObjectId;
  readonly reason: string;
  readonly scopes: readonly ScopesOfApi[];
  readonly durationInDays: number;
}

/** What came of asking. */
export interface AskedConsent {
  readonly id: ObjectId;
  /** The person's own part. */
  readonly userConsentRequestId: ObjectId;
  /** He is the first who asks; or he joins those who did; or he asked before, and his request now says more. */
  readonly outcome: 'created' | 'joined' | 'widened';
  readonly scopes: readonly ScopesOfApi[];
  /** His name. */
  readonly requester: string;
}

/**
 * Records that a person asks: in the application's open request, or in a new one. Its caller has locked the policy of
 * requests, so that all who ask come one after the other, and has closed what is overdue.
 * @throws DirectoryError `TooManyRequests`, `Request_BadRequest`
 */
export async function addConsentRequest(
  permit: Permit<'directory/appConsentRequests/ownRequest/create'>,
  asked: NewConsentRequest,
): Promise<AskedConsent> {
  const open = await lockOpenRequestFor(permit, asked.appId);
  const id = open ?? (await insertRequest(permit, asked));
  const before = open === undefined ? undefined : await readOwnPart(permit, id, asked.userId);
  if (!before) await requireFewOpen(permit, asked.userId);
  const scopes = unionOfScopes(before?.scopes ?? [], asked.scopes);
  if (countScopes(scopes) > MOST_SCOPES) throw badRequest(`At most ${MOST_SCOPES} permissions can be asked for.`);
  const [part] = await permit.query<{ id: ObjectId; requester: string }>({
    text: `insert into user_consent_requests (tenant_id, id, app_consent_request_id, user_id, reason, scopes)
      values ($1, $2, $3, $4, $5, $6)
      on conflict (tenant_id, app_consent_request_id, user_id) do update set reason = excluded.reason, scopes = excluded.scopes
      returning id, (select display_name from users where tenant_id = $1 and id = $4) as requester`,
    values: [permit.tenantId, newObjectId(), id, asked.userId, asked.reason, JSON.stringify(scopes)],
  });
  if (!part) throw notFound();
  const outcome = before ? 'widened' : open === undefined ? 'created' : 'joined';
  return { id, userConsentRequestId: part.id, outcome, scopes, requester: part.requester };
}

/** The application's request that people can still join. */
async function lockOpenRequestFor(
  permit: Permit<'directory/appConsentRequests/ownRequest/create'>,
  appId: AppId,
): Promise<ObjectId | undefined> {
  const [open] = await permit.query<{ id: ObjectId }>({
    text: `select id from app_consent_requests where tenant_id = $1 and app_id = $2 and status = 'InProgress' for update`,
    values: [permit.tenantId, appId],
  });
  return open?.id;
}

async function insertRequest(
  permit: Permit<'directory/appConsentRequests/ownRequest/create'>,
  { appId, appDisplayName, durationInDays }: NewConsentRequest,
): Promise<ObjectId> {
  const id = newObjectId();
  await permit.query({
    text: `insert into app_consent_requests (tenant_id, id, app_id, app_display_name, expires_at)
      values ($1, $2, $3, $4, now() + $5 * interval '1 day')`,
    values: [permit.tenantId, id, appId, appDisplayName, durationInDays],
  });
  return id;
}

async function readOwnPart(
  permit: ReadRequests,
  requestId: ObjectId,
  userId: ObjectId,
): Promise<{ readonly scopes: readonly ScopesOfApi[] } | undefined> {
  const [part] = await permit.query<{ scopes: readonly ScopesOfApi[] }>({
    text: 'select scopes from user_consent_requests where tenant_id = $1 and app_consent_request_id = $2 and user_id = $3',
    values: [permit.tenantId, requestId, userId],
  });
  return part;
}

async function requireFewOpen(permit: ReadRequests, userId: ObjectId): Promise<void> {
  const [row] = await permit.query<{ open: number }>({
    text: `select count(*)::integer as open from user_consent_requests x
      join app_consent_requests r on r.tenant_id = x.tenant_id and r.id = x.app_consent_request_id
      where x.tenant_id = $1 and x.user_id = $2 and ${STATUS('r')} = 'InProgress'`,
    values: [permit.tenantId, userId],
  });
  if ((row?.open ?? 0) < MOST_OPEN) return;
  throw new DirectoryError('TooManyRequests', `${MOST_OPEN} of your requests are waiting: wait for an answer to one.`);
}
