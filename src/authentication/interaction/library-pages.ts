import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { getAccount } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { isErrorBody } from '../oauth-errors.ts';
import { currentRequest } from '../oauth-request.ts';
import { type DeviceEnding, deviceEndedPage } from '../pages/device.ts';
import { contentSecurityPolicy } from '../pages/headers.ts';
import { signOutPage } from '../pages/sign-out.ts';
import { signedOutPage } from '../pages/signed-out.ts';
import type { Tenants } from '../tenants.ts';
import type { ErrorPages } from './error-pages.ts';
import { withParameters } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import { recogniseReturn } from './sign-out-return.ts';

export interface LibraryPagesParts {
  readonly authorization: Authorization;
  readonly tenants: Tenants;
  readonly writer: PageWriter;
  readonly errorPages: ErrorPages;
}

const INLINE_SCRIPT = /<script>([^<]*)<\/script>/;

/** What people see of the library's own endpoints. */
export class LibraryPages {
  readonly #parts: LibraryPagesParts;

  constructor(parts: LibraryPagesParts) {
    this.#parts = parts;
  }

  /** RP-initiated logout asks first: a link or an image must not sign anybody out (DEV-07). */
  async confirmLogout(ctx: KoaContextWithOIDC): Promise<void> {
    const { authorization, tenants, writer } = this.#parts;
    const { tenantId, principal } = currentRequest();
    await recogniseReturn(ctx);
    const { session } = ctx.oidc;
    const account = await authorization.performInternal(principal, getAccount, session?.accountId ?? '');
    const secret = String(session?.state?.secret ?? '');
    const page = signOutPage({
      layout: writer.layoutOf(await tenants.find(tenantId)),
      form: { action: ctx.oidc.urlFor('end_session_confirm'), csrf: secret, hidden: { xsrf: secret } },
      account: { username: account?.userPrincipalName ?? '', displayName: account?.displayName },
      application: ctx.oidc.client?.clientName,
      accept: { name: 'logout', value: 'yes' },
    });
    writer.put(ctx, page, { formAction: 'anywhere' });
  }

  async loggedOut(ctx: KoaContextWithOIDC): Promise<void> {
    const { tenants, writer } = this.#parts;
    const { tenantId } = currentRequest();
    const session = await ctx.oidc.provider.Session.get(ctx);
    // Who chose to stay signed in ends here too.
    if (session.accountId) return ctx.redirect(`/${tenantId}/account`);
    const layout = writer.layoutOf(await tenants.find(tenantId));
    writer.put(ctx, signedOutPage({ layout, signInHref: `/${tenantId}/account` }));
  }

  approved(ctx: KoaContextWithOIDC): Promise<void> {
    return this.ended(ctx, 'approved');
  }

  /** The end of a device's sign-in, which no application waits for in this browser. */
  async ended(ctx: KoaContextWithOIDC, ending: DeviceEnding): Promise<void> {
    const { tenants, writer } = this.#parts;
    const { tenantId } = currentRequest();
    const layout = writer.layoutOf(await tenants.find(tenantId));
    writer.put(ctx, deviceEndedPage({ layout, ending, accountHref: `/${tenantId}/account` }));
  }

  /** An error is a page for a browser; what the library writes itself gets a strict policy. */
  put(ctx: KoaContextWithOIDC): Promise<void> | undefined {
    if (ctx.oidc?.route === 'end_session' && ctx.status === 200 && !ctx.oidc.session?.accountId) goOn(ctx);
    const { body } = ctx;
    if (ctx.status >= 400 && isErrorBody(body) && ctx.accepts('json', 'html') === 'html')
      return this.#writeError(ctx, body);
    if (typeof body === 'string' && ctx.response.is('html') && !ctx.response.get('Content-Security-Policy'))
      protectScript(ctx, body);
    return undefined;
  }

  async #writeError(
    ctx: KoaContextWithOIDC,
    { error, error_description }: { readonly error: string; readonly error_description?: string },
  ): Promise<void> {
    const { errorPages, tenants } = this.#parts;
    const { tenantId, context } = currentRequest();
    const number = /^AADSTS\d+/.exec(error_description ?? '')?.[0];
    // A database that is away must still end in a page.
    const tenant = await tenants.find(tenantId).catch(() => undefined);
    errorPages.put(ctx, errorPages.troubleOf(error), {
      status: ctx.status,
      context,
      tenant,
      code: number ? `${number} ${error}` : error,
    });
  }
}

/** Nobody is signed in, so nobody has to be asked: the library would submit a form by a script to learn as much. */
function goOn(ctx: KoaContextWithOIDC): void {
  const { postLogoutRedirectUri, state } = ctx.oidc.session?.state ?? {};
  const uri = typeof postLogoutRedirectUri === 'string' ? postLogoutRedirectUri : undefined;
  const parameters = typeof state === 'string' ? { state } : {};
  ctx.body = null;
  ctx.status = 303;
  ctx.set('Location', uri ? withParameters(uri, parameters) : ctx.oidc.urlFor('end_session_success'));
}

/** `response_mode=form_post` submits itself by a script: that one and no other may run. */
function protectScript(ctx: KoaContextWithOIDC, body: string): void {
  const script = INLINE_SCRIPT.exec(body)?.[1] ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  ctx.set('Content-Security-Policy', `${contentSecurityPolicy('anywhere')}; script-src 'sha256-${hash}'`);
  ctx.set('X-Frame-Options', 'DENY');
  ctx.set('Referrer-Policy', 'same-origin');
}
