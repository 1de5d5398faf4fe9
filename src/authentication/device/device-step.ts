import type Provider from 'oidc-provider';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import type { Clients } from '../clients/clients.ts';
import { identityOf } from '../interaction/application-identity.ts';
import { AskedPermissions, type AskedScopes, askedScopes } from '../interaction/asked-permissions.ts';
import type { OwnInteractions } from '../interaction/own-interactions.ts';
import type { PageWriter } from '../interaction/page-writer.ts';
import { ShownQuestion } from '../interaction/shown-question.ts';
import type { SignInStep } from '../interaction/sign-in-step.ts';
import type { Forms } from '../interaction/submitted-form.ts';
import { type AskingApplication, bindingOf, parameterOf, pathOf, type Visit } from '../interaction/visit.ts';
import { confirmDevicePage, deviceEndedPage, type UserCodeProblem, userCodePage } from '../pages/device.ts';
import { describe, REASONS, type Reason } from '../refusals.ts';
import type { Resources } from '../resources.ts';
import { type DeviceCode, spelledOut, type UserCodes } from './user-codes.ts';

export interface DeviceStepParts {
  readonly authorization: Authorization;
  readonly provider: Provider;
  readonly clients: Clients;
  readonly resources: Resources;
  readonly interactions: OwnInteractions;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly signInStep: SignInStep;
  readonly userCodes: UserCodes;
}

/** A visit of somebody who is signed in and enabled. */
interface KnownVisit {
  readonly visit: Visit;
  readonly account: Account;
}

/** A device that waits for this person's answer, as its rows are now. */
interface WaitingDevice extends KnownVisit {
  readonly code: DeviceCode;
  readonly application: AskingApplication;
  readonly asked: readonly AskedScopes[];
  readonly shown: ShownQuestion;
}

const STATUS: Record<UserCodeProblem, number> = { missing: 400, unknown: 400, expired: 400, throttled: 429 };
const RECORDED: Partial<Record<UserCodeProblem, Reason>> = {
  unknown: 'userCodeUnknown',
  throttled: 'userCodesThrottled',
};

/**
 * The person's part of device authorization (RFC 8628, section 3.3): who is signed in types the code in, sees which
 * application asks for what from where, and confirms. A link with the code in it saves the typing and nothing else.
 */
export class DeviceStep {
  readonly #parts: DeviceStepParts;

  constructor(parts: DeviceStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const account = await this.#accountOf(visit);
    if (!account) return this.#parts.signInStep.show(visit);
    this.#ask({ visit, account }, { userCode: parameterOf(visit, 'user_code') });
  }

  /** The code was typed in. */
  async submit(visit: Visit): Promise<void> {
    const form = await this.#parts.forms.read(visit.request, bindingOf(visit));
    if (form.cancels) return this.#parts.writer.redirect(visit.response, `/${visit.tenancy.tenantId}/account`);
    const device = await this.#deviceOf(visit, form.text('user_code'));
    if (device) this.#confirm(device);
  }

  /** The person has seen what asks. */
  async answer(visit: Visit): Promise<void> {
    const { forms, userCodes, writer, interactions } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    const device = await this.#deviceOf(visit, form.text('user_code'));
    if (!device) return;
    if (!device.shown.isAnsweredBy(form)) return this.#confirm(device);
    if (!(await userCodes.claim(visit.tenancy, device.code))) return this.#end(visit, 'answered');
    try {
      await visit.interaction.destroy();
      if (!form.accepts) await this.#decline(device);
      else writer.redirect(visit.response, await interactions.goOnWithDevice(visit, device.code));
    } catch (error) {
      await userCodes.release(visit.tenancy, device.code).catch(() => {});
      throw error;
    }
  }

  /** Nothing when it was said here and now why there is none. */
  async #deviceOf(visit: Visit, typed: string): Promise<WaitingDevice | undefined> {
    const account = await this.#accountOf(visit);
    if (!account) return void (await this.#parts.signInStep.show(visit));
    const known = { visit, account };
    if (typed.trim() === '') return void this.#ask(known, { problem: 'missing' });
    const userCode = typed.slice(0, 32);
    const found = await this.#parts.userCodes.find(visit.tenancy, account.id, userCode);
    if (found.outcome !== 'found') return void (await this.#refuse(known, { userCode, ...problemOf(found) }));
    const { code } = found;
    // An account that is signed in elsewhere may answer; a code that was answered may not be answered again.
    if (code.error || code.accountId) return void this.#end(visit, 'answered');
    const application = await this.#applicationOf(visit, code);
    if (!application) return void (await this.#refuse(known, { userCode, problem: 'unknown' }));
    const asked = await this.#askedBy(application, code);
    const shown = new ShownQuestion(visit, application, [asked, code.userCode, code.deviceInfo]);
    return { ...known, code, application, asked, shown };
  }

  #askedBy({ definition }: AskingApplication, { params = {} }: DeviceCode): Promise<readonly AskedScopes[]> {
    const { scope, resource } = params;
    return askedScopes(this.#parts.resources, definition, {
      scope: typeof scope === 'string' ? scope : undefined,
      resource: typeof resource === 'string' ? resource : undefined,
    });
  }

  async #applicationOf({ tenancy }: Visit, { clientId = '' }: DeviceCode): Promise<AskingApplication | undefined> {
    const appId = parseAppId(clientId);
    if (!appId || !(await this.#parts.clients.find(appId))) return undefined;
    const { client: state, definition } = tenancy;
    return state && definition && { state, definition };
  }

  #confirm({ visit, account, code, application, asked, shown }: WaitingDevice): void {
    const { forms, writer } = this.#parts;
    const { tenant, tenancy, response } = visit;
    const { ipAddress, userAgent } = tenancy.context;
    const { ipAddress: from, userAgent: program } = code.deviceInfo ?? {};
    const page = confirmDevicePage({
      layout: writer.layoutOf(tenant),
      form: {
        action: pathOf(visit, '/device-answer'),
        csrf: forms.tokenFor(bindingOf(visit)),
        hidden: { user_code: code.userCode, ...shown.hidden },
      },
      account: lineOf(visit, account),
      application: identityOf(application, tenant, undefined),
      organization: tenant.displayName,
      userCode: spelledOut(code),
      askedAt: new Date((code.iat ?? 0) * 1_000),
      device: { address: addressOf(from), program: typeof program === 'string' ? program : undefined },
      browser: { address: addressOf(ipAddress), program: userAgent },
      permissions: new AskedPermissions(asked, []).groups('user'),
    });
    writer.send(response, page);
  }

  /** The device is told at its next question. */
  async #decline({ visit, code }: WaitingDevice): Promise<void> {
    Object.assign(code, { error: 'access_denied', errorDescription: describe('deviceDeclined') });
    await code.save();
    await this.#record(visit, 'deviceDeclined', code.clientId);
    this.#end(visit, 'declined');
  }

  async #refuse(
    { visit, account }: KnownVisit,
    shown: { userCode: string; problem: UserCodeProblem; retryAfter?: number },
  ): Promise<void> {
    const reason = RECORDED[shown.problem];
    if (reason) await this.#record(visit, reason);
    this.#ask({ visit, account }, shown);
  }

  #ask(
    { visit, account }: KnownVisit,
    {
      userCode,
      problem,
      retryAfter,
    }: { userCode?: string | undefined; problem?: UserCodeProblem; retryAfter?: number },
  ): void {
    const { forms, writer } = this.#parts;
    const page = userCodePage({
      layout: writer.layoutOf(visit.tenant),
      form: { action: pathOf(visit, '/device'), csrf: forms.tokenFor(bindingOf(visit)) },
      account: lineOf(visit, account),
      ...{ userCode, problem, retryAfter },
    });
    writer.send(visit.response, page, { status: problem ? STATUS[problem] : 200, retryAfter });
  }

  #end({ tenant, tenancy, response }: Visit, ending: 'declined' | 'answered'): void {
    const { writer } = this.#parts;
    const accountHref = `/${tenancy.tenantId}/account`;
    writer.send(response, deviceEndedPage({ layout: writer.layoutOf(tenant), ending, accountHref }));
  }

  async #accountOf({ session, tenancy }: Visit): Promise<Account | undefined> {
    if (!session.accountId) return undefined;
    return this.#parts.authorization.performInternal(tenancy.principal, getAccount, session.accountId);
  }

  async #record({ tenancy, session }: Visit, reason: Reason, appId?: string): Promise<void> {
    const { principal, context } = tenancy;
    const [errorCode, failureReason] = REASONS[reason];
    const refused = { eventType: 'interactiveUser', userId: session.accountId, errorCode, failureReason } as const;
    await this.#parts.authorization.recordSignIn(principal, { ...refused, appId, ...context });
  }
}

function problemOf(found: { outcome: UserCodeProblem; retryAfter?: number }) {
  return { problem: found.outcome, ...(found.retryAfter === undefined ? {} : { retryAfter: found.retryAfter }) };
}

function lineOf(visit: Visit, { userPrincipalName: username, displayName }: Account) {
  return { username, displayName, switchHref: pathOf(visit, '?account=other') };
}

function addressOf(address: unknown): string {
  return typeof address === 'string' && address !== '' ? address : 'not known';
}
