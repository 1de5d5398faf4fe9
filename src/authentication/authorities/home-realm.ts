import type { ClientDefinition } from '../../authorization/internal/clients.ts';
import type { Tenant } from '../../authorization/internal/tenants.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { ErrorPages } from '../interaction/error-pages.ts';
import { withParameters } from '../interaction/outcomes.ts';
import type { PageWriter } from '../interaction/page-writer.ts';
import { bodyOf, FormError, type Forms, type SubmittedForm } from '../interaction/submitted-form.ts';
import { type HomeRealmProblem, homeRealmPage } from '../pages/home-realm.ts';
import { signedOutPage } from '../pages/signed-out.ts';
import type { OnRefusal } from '../refusal-records.ts';
import { describe, type Reason } from '../refusals.ts';
import { tenantsOfSessions } from '../session-cookies.ts';
import type { Tenants } from '../tenants.ts';
import { tenantNamedIn } from '../tokens/tenant-hint.ts';
import { askedApplication } from './asked-application.ts';
import { type AuthorityCall, issuerTemplate } from './authority.ts';

export interface HomeRealmParts {
  readonly authorization: Authorization;
  readonly origin: string;
  readonly tenants: Tenants;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly errorPages: ErrorPages;
  readonly onRefusal: OnRefusal;
}

/** What a request asks, and what the person has answered if it comes from our own page. */
interface Asked {
  readonly call: AuthorityCall;
  readonly parameters: URLSearchParams;
  readonly form: SubmittedForm | undefined;
}

interface Asking extends Asked {
  readonly definition?: ClientDefinition | undefined;
  readonly redirectUri?: string | undefined;
}

/** The page remembers nothing: all that it knows stands in its own address. */
const BINDING = 'home realm';

/**
 * Home-realm discovery: finds the organization of a person by the verified domain of his username, and sends the browser on
 * to the same endpoint of that tenant, with all that was asked. That a domain has an organization here is no secret: its
 * discovery document says so.
 */
export class HomeRealm {
  readonly #parts: HomeRealmParts;

  constructor(parts: HomeRealmParts) {
    this.#parts = parts;
  }

  authorize(call: AuthorityCall): Promise<void> {
    return this.#read(call, (asked) => this.#signIn(asked, true));
  }

  adminConsent(call: AuthorityCall): Promise<void> {
    return this.#read(call, (asked) => this.#signIn(asked, false));
  }

  /** Where nobody is signed in, nobody has to be asked; where he is at one organization, it is known which. */
  logout(call: AuthorityCall): Promise<void> {
    return this.#read(call, async (asked) => {
      const { parameters, form } = asked;
      const tenant = form ? await this.#answered(form) : await this.#hinted(parameters, 'logout_hint');
      const [first, ...others] = tenantsOfSessions(call.request.headers.cookie);
      const signedIn = first && others.length === 0 ? await this.#parts.tenants.find(first) : undefined;
      const found = tenant ?? (form ? undefined : signedIn);
      if (found) return this.#goOn(asked, found);
      if (!form && !first) return this.#signedOut(call);
      return this.#ask(asked, 'signOut');
    });
  }

  async #signIn(asked: Asked, isAuthorization: boolean): Promise<void> {
    const { call, parameters, form } = asked;
    const application = await askedApplication(this.#parts.authorization, parameters, isAuthorization);
    if ('refusal' in application) return call.refuse(400, application.refusal);
    const asking = { ...asked, ...application };
    if (form?.cancels) return this.#answer(asking, 'access_denied', 'signInCancelled');
    const isSilent = !form && isAuthorization && parameters.get('prompt')?.split(' ').includes('none') === true;
    const tenant = form ? await this.#answered(form) : await this.#hinted(parameters, 'login_hint', isSilent && call);
    if (tenant) return this.#goOn(asking, tenant, isAuthorization);
    if (isSilent) return this.#answer(asking, 'login_required', 'homeRealmUnknown');
    return this.#ask(asking, 'signIn');
  }

  /** A request, or the answer that our page got to it. An application's own POST asks the same as its GET. */
  async #read(call: AuthorityCall, serve: (asked: Asked) => Promise<void>): Promise<void> {
    const { request, response, query, context } = call;
    try {
      const body = request.method === 'POST' ? await bodyOf(request) : '';
      const posted = new URLSearchParams(body);
      const form = posted.has('csrf') ? this.#parts.forms.formOf(request, body, BINDING) : undefined;
      const parameters = new URLSearchParams(query);
      if (!form) for (const [name, value] of posted) parameters.append(name, value);
      await serve({ call, parameters, form });
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.#parts.onRefusal({ reason: `form: ${error.fault}` }, context);
      // What was not read of an oversized form is not worth reading.
      if (error.fault === 'tooLarge') response.setHeader('Connection', 'close');
      this.#parts.errorPages.send(response, error.fault, { status: error.status, context });
    }
  }

  async #answered(form: SubmittedForm): Promise<Tenant | undefined> {
    return this.#parts.tenants.ofDomain(domainOf(form.text('username').trim()) ?? '');
  }

  /** @param silent where nobody can be asked: then it is the one organization at which the browser is signed in */
  async #hinted(asked: URLSearchParams, usernameHint: string, silent?: AuthorityCall | false) {
    const { tenants } = this.#parts;
    const domains = [asked.get('domain_hint'), domainOf(asked.get(usernameHint) ?? '')];
    for (const domain of domains) {
      const tenant = domain ? await tenants.ofDomain(domain) : undefined;
      if (tenant) return tenant;
    }
    const named = tenantNamedIn(asked.get('id_token_hint') ?? '');
    const sessions = silent ? [...tenantsOfSessions(silent.request.headers.cookie)] : [];
    const id = named ?? (sessions.length === 1 ? sessions[0] : undefined);
    return id && tenants.find(id);
  }

  /**
   * 303 to the tenant's own endpoint. What the person has typed goes along as a hint; and who is signed in there already
   * is asked whether that is who he wants to be, since he has just named himself.
   */
  #goOn({ call, parameters, form }: Asked, { id }: Tenant, isAuthorization = false): void {
    const { request, response, path } = call;
    if (form && isAuthorization) {
      parameters.set('login_hint', form.text('username').trim());
      const isSignedIn = tenantsOfSessions(request.headers.cookie).has(id);
      if (isSignedIn && !parameters.has('prompt')) parameters.set('prompt', 'select_account');
    }
    this.#parts.writer.redirect(response, `/${id}${path}?${parameters}`);
  }

  #ask({ call, parameters, form, definition, redirectUri }: Asking, purpose: 'signIn' | 'signOut'): void {
    const { writer, forms, onRefusal } = this.#parts;
    const { response, context, authority, path } = call;
    const hint = parameters.get(purpose === 'signIn' ? 'login_hint' : 'logout_hint') ?? undefined;
    const username = form ? form.text('username').trim() : hint;
    const problem = problemOf(username, form !== undefined);
    if (problem) onRefusal({ reason: `home realm: ${problem}` }, context);
    const page = homeRealmPage({
      layout: writer.layoutOf(undefined),
      form: { action: `/${authority}${path}?${parameters}`, csrf: forms.tokenFor(BINDING) },
      purpose,
      application: definition?.displayName,
      username,
      problem,
      canCancel: redirectUri !== undefined && answerMode(parameters) !== undefined,
    });
    writer.send(response, page, { status: problem && form ? 400 : 200, formAction: 'anywhere' });
  }

  /**
   * Tells the application why it gets nothing (RFC 6749, section 4.1.2.1). No organization has answered, so `iss` (RFC 9207)
   * is what the authority's metadata has.
   */
  #answer({ call, parameters, redirectUri }: Asking, error: string, reason: Reason): void {
    const { writer, onRefusal, origin } = this.#parts;
    const mode = answerMode(parameters);
    if (redirectUri === undefined || mode === undefined) {
      call.refuse(400, reason);
      return;
    }
    onRefusal({ reason: `home realm: ${error}` }, call.context);
    const [state] = parameters.getAll('state');
    const answer = {
      error,
      error_description: describe(reason),
      ...(state === undefined ? {} : { state }),
      iss: issuerTemplate(origin),
    };
    const uri =
      mode === 'query' ? withParameters(redirectUri, answer) : `${redirectUri}#${new URLSearchParams(answer)}`;
    writer.redirect(call.response, uri);
  }

  #signedOut({ response }: AuthorityCall): void {
    const { writer } = this.#parts;
    writer.send(response, signedOutPage({ layout: writer.layoutOf(undefined) }));
  }
}

/** How an answer goes back by a redirect; not at all where a form was asked for. */
function answerMode(parameters: URLSearchParams): 'query' | 'fragment' | undefined {
  const mode = parameters.get('response_mode') ?? 'query';
  return mode === 'query' || mode === 'fragment' ? mode : undefined;
}

function domainOf(username: string): string | undefined {
  const at = username.lastIndexOf('@');
  return at > 0 ? username.slice(at + 1) : undefined;
}

/** Of a hint only that it leads nowhere is said; one that is no username at all is left for the person to mend. */
function problemOf(username: string | undefined, isAnswer: boolean): HomeRealmProblem | undefined {
  if (username !== undefined && domainOf(username) !== undefined) return 'unknown';
  if (!isAnswer) return undefined;
  return username ? 'domainMissing' : 'usernameMissing';
}
