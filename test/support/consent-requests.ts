import type { z } from 'zod';
import {
  approveConsentRequest,
  denyConsentRequest,
  requestConsent,
} from '../../src/authorization/catalogue/consent-requests.ts';
import type { Operation } from '../../src/authorization/operation.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import type { DirectoryAction } from '../../src/vocabulary/actions.ts';
import type { ScopesOfApi } from '../../src/vocabulary/consent-requests.ts';
import { type ConsentReviewer, reviewerQuery } from '../../src/vocabulary/consent-reviewers.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { SessionPrincipal } from '../../src/vocabulary/principals.ts';
import { aClientApplication, aPerson, type TestApplication } from './applications.ts';
import type { TestDatabase } from './database.ts';
import { objectId } from './ids.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

/** Scopes of the directory API that no policy lets a person allow himself. */
export const WANTED = 'Group.Read.All';
export const ALSO_WANTED = 'User.Read.All';
/** One that lends an administrator’s powers. */
export const PRIVILEGED = 'Directory.ReadWrite.All';

export const ofDirectory = (...values: string[]): ScopesOfApi => ({ resourceAppId: DIRECTORY_APP_ID, values });

/** People, requests and decisions at the sign-in server's pages, without their HTML. */
export class RequestDesk {
  readonly database: TestDatabase;
  readonly tenant: TestTenant;
  readonly pages: Authorization;

  constructor(database: TestDatabase, tenant: TestTenant) {
    this.database = database;
    this.tenant = tenant;
    this.pages = database.authorization('authentication');
  }

  /** Sets who reviews, and whatever else of the policy. */
  async review(reviewers: readonly ConsentReviewer[], settings: object = {}): Promise<void> {
    const policy = {
      isEnabled: true,
      reviewers: reviewers.map((reviewer) => ({ query: reviewerQuery(reviewer), queryType: 'MicrosoftGraph' })),
      ...settings,
    };
    await asSuperuser(
      this.database,
      `insert into tenant_policies (tenant_id, id, settings) values ($1, 'adminConsentRequestPolicy', $2)
        on conflict (tenant_id, id) do update set settings = excluded.settings`,
      [this.tenant.id, JSON.stringify(policy)],
    );
  }

  /** With directory roles by their names. */
  async person(name = 'alice', roles: readonly string[] = []): Promise<string> {
    const id = await aPerson(this.database, this.tenant, name);
    for (const role of roles)
      await asSuperuser(
        this.database,
        'insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, gen_random_uuid(), $2, $3)',
        [this.tenant.id, directoryRoleNamed(role)?.id, id],
      );
    return id;
  }

  /** An application of the tenant's own that nobody has let do anything. */
  application(name = 'Planner'): Promise<TestApplication> {
    return aClientApplication(this.database, this.tenant, { name });
  }

  as(userId: string): SessionPrincipal {
    return { kind: 'session', tenantId: this.tenant.id, userId: objectId(userId), authenticatedAt: Date.now() / 1_000 };
  }

  perform<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    userId: string,
    operation: Operation<Action, Schema, Result>,
    input: object,
  ): Promise<Result> {
    return this.pages.perform(this.as(userId), operation, input, { correlationId: 'desk' });
  }

  /** Asks for scopes of the directory API, or of another by its service principal's id. */
  async ask(
    userId: string,
    { appId }: Pick<TestApplication, 'appId'>,
    values: readonly string[] = [WANTED],
    { resourceId, reason = 'For my work.' }: { readonly resourceId?: string; readonly reason?: string } = {},
  ) {
    const of = resourceId ?? (await this.servicePrincipalOf(DIRECTORY_APP_ID));
    return this.perform(userId, requestConsent, { appId, scopes: [{ resourceId: of, values }], reason });
  }

  approve(
    userId: string,
    id: string,
    scopes: readonly ScopesOfApi[],
    consentType: 'Principal' | 'AllPrincipals' = 'Principal',
    justification?: string,
  ) {
    const body = { consentType, scopes, ...(justification ? { justification } : {}) };
    return this.perform(userId, approveConsentRequest, { id, body });
  }

  deny(userId: string, id: string, justification?: string) {
    return this.perform(userId, denyConsentRequest, { id, body: justification ? { justification } : {} });
  }

  async servicePrincipalOf(appId: string): Promise<string> {
    const [row] = await asSuperuser<{ id: string }>(
      this.database,
      'select id from service_principals where tenant_id = $1 and app_id = $2',
      [this.tenant.id, appId],
    );
    return row?.id ?? '';
  }

  /** What an application was granted: scopes by person (`everybody` without one), in order. */
  async granted({ appId }: Pick<TestApplication, 'appId'>): Promise<Record<string, string[]>> {
    const rows = await asSuperuser<{ whose: string; scopes: string[] }>(
      this.database,
      `select coalesce(g.principal_id::text, 'everybody') as whose, array_agg(s order by s) as scopes
        from oauth2_permission_grants g join service_principals c on c.tenant_id = g.tenant_id and c.id = g.client_id
        cross join unnest(g.scope) s where g.tenant_id = $1 and c.app_id = $2 group by 1`,
      [this.tenant.id, appId],
    );
    return Object.fromEntries(rows.map(({ whose, scopes }) => [whose, scopes]));
  }

  /** Makes a request overdue, without anybody writing that down. */
  async expire(id: string): Promise<void> {
    await asSuperuser(
      this.database,
      `update app_consent_requests set created_at = now() - interval '40 days', expires_at = now() - interval '1 second'
        where tenant_id = $1 and id = $2`,
      [this.tenant.id, id],
    );
  }

  /** Notices that wait: kind, channel and recipient. */
  async notices(
    subjectId: string,
  ): Promise<{ kind: string; channel: string; recipient: string; parameters: object }[]> {
    return asSuperuser(
      this.database,
      `select kind, channel, recipient, parameters from outbox_messages where tenant_id = $1 and subject_id = $2
        order by kind, channel, recipient`,
      [this.tenant.id, subjectId],
    );
  }
}
