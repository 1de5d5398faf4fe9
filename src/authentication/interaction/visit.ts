import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { ClientDefinition, ClientState } from '../../authorization/internal/clients.ts';
import type { Tenant } from '../../authorization/internal/tenants.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { parseObjectId } from '../../vocabulary/ids.ts';
import type { SessionPrincipal } from '../../vocabulary/principals.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import type { FormAction } from '../pages/headers.ts';
import type { BrowserSession } from './browser-sessions.ts';

export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** One request to our own pages. */
export interface PageCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tenancy: OAuthRequest;
  readonly tenant: Tenant;
  readonly session: BrowserSession;
}

/** A request to the pages of one interaction: who waits for what. */
export interface Visit extends PageCall {
  readonly interaction: Interaction;
  readonly application: AskingApplication | undefined;
  /** The person wants to be somebody else than who is signed in. */
  readonly wantsOther: boolean;
}

/** The application that waits for the interaction's end, as its rows are now. */
export interface AskingApplication {
  readonly state: ClientState;
  readonly definition: ClientDefinition;
}

const OWN_KINDS = ['account', 'admin_consent', 'device'] as const;

/** What an interaction waits for: the library's prompts, and our own. */
export type InteractionKind = 'login' | 'select_account' | 'consent' | (typeof OWN_KINDS)[number];

export function kindOf({ interaction }: Visit): InteractionKind {
  // Only the library's policy and `own-interactions.ts` make interactions.
  return interaction.prompt.name as InteractionKind;
}

/** Interactions of our own pages end with us; the others go back to the library. */
export function isOwn(visit: Visit): boolean {
  return OWN_KINDS.some((kind) => kind === kindOf(visit));
}

export function parameterOf({ interaction }: Visit, name: string): string | undefined {
  const value = interaction.params[name];
  return typeof value === 'string' ? value : undefined;
}

/** Where the answer goes: only as long as the application has that address registered. */
export function redirectUriOf(visit: Visit): string | undefined {
  const uri = parameterOf(visit, 'redirect_uri');
  return uri !== undefined && isRegistered(visit.application?.definition, uri) ? uri : undefined;
}

/** Whether an application, of whatever kind, has this very address registered. */
export function isRegistered(definition: ClientDefinition | undefined, uri: string): boolean {
  const { webRedirectUris = [], spaRedirectUris = [], publicClientRedirectUris = [] } = definition ?? {};
  return [webRedirectUris, spaRedirectUris, publicClientRedirectUris].some((uris) => uris.includes(uri));
}

/** Whether the answer to a form of this interaction may end at an application (see `pages/headers.ts`). */
export function formActionOf(visit: Visit): FormAction {
  return isOwn(visit) && parameterOf(visit, 'redirect_uri') === undefined ? 'self' : 'anywhere';
}

/** The application, for the sign-in record. */
export function recordedOf({ application }: Visit) {
  return application && { appId: application.definition.appId, appDisplayName: application.definition.displayName };
}

export function pathOf({ tenancy, interaction }: Pick<Visit, 'tenancy' | 'interaction'>, step = ''): string {
  return `/${tenancy.tenantId}/interaction/${interaction.uid}${step}`;
}

/** What the forms of pages outside an interaction are bound to: this browser's session. */
export function sessionBindingOf({ tenancy, session }: Pick<PageCall, 'tenancy' | 'session'>): string {
  return `session ${tenancy.tenantId} ${session.uid}`;
}

/** What the forms of an interaction are bound to. */
export function bindingOf({ tenancy, interaction }: Pick<Visit, 'tenancy' | 'interaction'>): string {
  return `interaction ${tenancy.tenantId} ${interaction.uid}`;
}

/** The person at this browser, as the one who acts. */
export function principalOf({ session, tenancy }: Pick<Visit, 'session' | 'tenancy'>): SessionPrincipal {
  const userId = parseObjectId(session.accountId ?? '');
  if (!userId) throw new DirectoryError('InvalidAuthenticationToken');
  return {
    kind: 'session',
    tenantId: tenancy.tenantId,
    userId,
    authenticatedAt: session.loginTs ?? 0,
  };
}
