import type { Permit } from '../store/permit.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED, PREFIX, selectList } from './listable.ts';

const AUDITS: Listable = {
  name: 'directory-audits',
  from: 'directory_audits',
  orderBy: [{ path: 'activityDateTime', direction: 'desc' }],
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY, notNull: true },
    activityDateTime: { sql: 'activity_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
    activityDisplayName: { sql: 'activity_display_name', type: 'string', filter: PREFIX },
    category: { sql: 'category', type: 'string', filter: EQUALITY },
    operationType: { sql: 'operation_type', type: 'string', filter: EQUALITY },
    result: { sql: 'result', type: 'string', filter: EQUALITY },
    resultReason: { sql: 'result_reason', type: 'string' },
    correlationId: { sql: 'correlation_id', type: 'string', filter: EQUALITY },
    loggedByService: { sql: "'Core Directory'::text", type: 'string' },
    initiatedBy: { sql: 'initiated_by', type: 'object' },
    'initiatedBy/user/id': { sql: "initiated_by -> 'user' ->> 'id'", type: 'string', filter: EQUALITY },
    'initiatedBy/app/appId': { sql: "initiated_by -> 'app' ->> 'appId'", type: 'string', filter: EQUALITY },
    targetResources: { sql: 'target_resources', type: 'object' },
    additionalDetails: { sql: 'additional_details', type: 'object' },
  },
  collections: {
    targetResources: {
      from: 'jsonb_array_elements(target_resources)',
      elements: {
        id: { sql: "element.value ->> 'id'", type: 'string', filter: EQUALITY },
        displayName: { sql: "element.value ->> 'displayName'", type: 'string', filter: PREFIX },
        type: { sql: "element.value ->> 'type'", type: 'string', filter: EQUALITY },
      },
    },
  },
};

const SIGN_INS: Listable = {
  name: 'sign-ins',
  from: 'sign_ins',
  orderBy: [{ path: 'createdDateTime', direction: 'desc' }],
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY, notNull: true },
    createdDateTime: { sql: 'created_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
    userId: { sql: 'user_id', type: 'guid', filter: EQUALITY },
    userPrincipalName: { sql: 'user_principal_name', type: 'string', filter: PREFIX },
    userDisplayName: { sql: 'user_display_name', type: 'string', filter: PREFIX },
    servicePrincipalId: { sql: 'service_principal_id', type: 'guid', filter: EQUALITY },
    appId: { sql: 'app_id', type: 'string', filter: EQUALITY },
    appDisplayName: { sql: 'app_display_name', type: 'string', filter: PREFIX },
    resourceId: { sql: 'resource_id', type: 'guid', filter: EQUALITY },
    resourceDisplayName: { sql: 'resource_display_name', type: 'string', filter: PREFIX },
    clientCredentialType: { sql: 'client_credential_type', type: 'string', filter: EQUALITY },
    uniqueTokenIdentifier: { sql: 'token_id', type: 'string', filter: EQUALITY },
    ipAddress: { sql: 'ip_address', type: 'string', filter: EQUALITY },
    userAgent: { sql: 'user_agent', type: 'string' },
    correlationId: { sql: 'correlation_id', type: 'string', filter: EQUALITY },
    isInteractive: { sql: "event_type = 'interactiveUser'", type: 'boolean', filter: EQUALITY },
    signInEventTypes: { sql: 'array[event_type]', type: 'object' },
    status: { sql: "jsonb_build_object('errorCode', error_code, 'failureReason', failure_reason)", type: 'object' },
    tokenDecision: { sql: 'decision', type: 'object' },
    'status/errorCode': { sql: 'error_code', type: 'integer', filter: ORDERED },
  },
};

type Read = Permit<'directory/auditLogs/standard/read' | 'directory/signInLogs/standard/read'>;

export function listAudits(permit: Read, query: ListQuery): Promise<Page<object>> {
  return readPage(permit, AUDITS, query);
}

export function listSignIns(permit: Read, query: ListQuery): Promise<Page<object>> {
  return readPage(permit, SIGN_INS, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readAudit(permit: Read, id: ObjectId): Promise<object> {
  return readOne(permit, AUDITS, id);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readSignIn(permit: Read, id: ObjectId): Promise<object> {
  return readOne(permit, SIGN_INS, id);
}

async function readOne(permit: Read, { from, columns }: Listable, id: ObjectId): Promise<object> {
  const [row] = await permit.query({
    text: `select ${selectList(columns)} from ${from} where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (!row) throw notFound();
  return row;
}
