import type { ServerResponse } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Tenant } from '../../authorization/internal/tenants.ts';
import type { Assets } from '../pages/assets.ts';
import { type FormAction, pageHeaders } from '../pages/headers.ts';
import type { Html } from '../pages/html.ts';
import type { Layout } from '../pages/layout.ts';

export interface PageOptions {
  readonly status?: number;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number | undefined;
  /** `anywhere` for pages whose form may end at an application (see `pages/headers.ts`). */
  readonly formAction?: FormAction;
}

/** Sends pages: the frame that they share, and their headers. */
export class PageWriter {
  readonly #assets: Assets;

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  layoutOf(tenant: Tenant | undefined): Layout {
    return {
      assets: this.#assets.links,
      tenant: tenant && { displayName: tenant.displayName, domain: tenant.domains[0] },
    };
  }

  send(response: ServerResponse, page: Html, options: PageOptions = {}): void {
    const body = Buffer.from(page.toString());
    response.statusCode = options.status ?? 200;
    for (const [name, value] of Object.entries(headersOf(options))) response.setHeader(name, value);
    response.setHeader('Content-Length', body.length);
    response.end(body);
  }

  /** The same, as the answer of one of the library's endpoints. */
  put(ctx: KoaContextWithOIDC, page: Html, options: PageOptions = {}): void {
    ctx.status = options.status ?? 200;
    ctx.body = page.toString();
    ctx.set(headersOf(options));
  }

  /** 303: whatever the method was, the next one is GET. */
  redirect(response: ServerResponse, location: string): void {
    response.writeHead(303, { Location: location, 'Content-Length': '0' }).end();
  }
}

function headersOf({ retryAfter, formAction = 'self' }: PageOptions): Record<string, string> {
  return { ...pageHeaders(formAction), ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }) };
}
