import type { InteractionResults } from 'oidc-provider';
import type { Authorization } from '../../authorization/perform.ts';
import { describe, REASONS, type Reason } from '../refusals.ts';
import { type BrowserSessions, PASSWORD_ACR, PASSWORD_AMR } from './browser-sessions.ts';
import type { PageWriter } from './page-writer.ts';
import type { SignedIn } from './password-sign-in.ts';
import { isOwn, kindOf, parameterOf, pathOf, recordedOf, redirectUriOf, type Visit } from './visit.ts';

/** How the steps of an interaction end: on with the next one, or back to who waits. */
export class Outcomes {
  readonly #authorization: Authorization;
  readonly #sessions: BrowserSessions;
  readonly #writer: PageWriter;

  constructor(authorization: Authorization, sessions: BrowserSessions, writer: PageWriter) {
    this.#authorization = authorization;
    this.#sessions = sessions;
    this.#writer = writer;
  }

  /** The person has proven who he is. Another one who was signed in in this browser is not any more. */
  async signedIn(visit: Visit, person: SignedIn): Promise<void> {
    const { request, response, session, interaction } = visit;
    if (isOwn(visit)) {
      await this.#sessions.begin(request, response, session, person);
      return this.#writer.redirect(response, kindOf(visit) === 'account' ? interaction.returnTo : pathOf(visit));
    }
    if (session.accountId && session.accountId !== person.userId) {
      await session.destroy();
      interaction.session = undefined;
    }
    const login = {
      accountId: person.userId,
      ts: person.authenticatedAt,
      amr: PASSWORD_AMR,
      acr: PASSWORD_ACR,
      remember: true,
    };
    return this.resolved(visit, { login, select_account: {} });
  }

  /** Back to the library, which goes on where it waited. */
  async resolved({ interaction, response }: Visit, result: InteractionResults): Promise<void> {
    interaction.result = { ...interaction.lastSubmission, ...result };
    await interaction.persist();
    this.#writer.redirect(response, interaction.returnTo);
  }

  /** The application learns why it gets nothing. */
  async declined(visit: Visit, reason: Reason): Promise<void> {
    const { interaction, response, tenancy } = visit;
    if (!isOwn(visit)) {
      interaction.result = { error: 'access_denied', error_description: describe(reason) };
      await interaction.persist();
      return this.#writer.redirect(response, interaction.returnTo);
    }
    await interaction.destroy();
    await this.#record(visit, reason);
    const uri = redirectUriOf(visit);
    if (uri === undefined) return this.#writer.redirect(response, `/${tenancy.tenantId}/account`);
    const state = parameterOf(visit, 'state');
    this.#writer.redirect(
      response,
      withParameters(uri, {
        error: 'access_denied',
        error_description: describe(reason),
        ...(state === undefined ? {} : { state }),
      }),
    );
  }

  /** What the library refuses is recorded where it leaves (see `refusal-records.ts`). */
  async #record(visit: Visit, reason: Reason): Promise<void> {
    const { principal, context } = visit.tenancy;
    const { accountId } = visit.session;
    if (!accountId) return;
    const [errorCode, failureReason] = REASONS[reason];
    const refused = { eventType: 'interactiveUser', userId: accountId, errorCode, failureReason } as const;
    await this.#authorization.recordSignIn(principal, { ...refused, ...recordedOf(visit), ...context });
  }
}

/** A redirect URI with parameters added to its own (RFC 6749, section 3.1.2). */
export function withParameters(uri: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.append(name, value);
  return url.href;
}
