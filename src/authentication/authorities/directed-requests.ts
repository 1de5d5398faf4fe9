import { IncomingMessage } from 'node:http';
import { bearerToken } from '../../vocabulary/access-tokens.ts';
import type { TenantId } from '../../vocabulary/ids.ts';
import { DEVICE_CODE_ALIAS, DEVICE_CODE_GRANT, ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT } from '../grant-types.ts';
import { bytesOf, FormError } from '../interaction/submitted-form.ts';
import type { Tenants } from '../tenants.ts';
import { tenantNamedIn } from '../tokens/tenant-hint.ts';
import type { AuthorityCall, Directed } from './authority.ts';

/** As much as the library reads of a body. */
const MAX_BYTES = 56 * 1_024;

/** Which parameter of a grant an organization has issued. */
const ISSUED: Readonly<Record<string, string>> = {
  authorization_code: 'code',
  refresh_token: 'refresh_token',
  [DEVICE_CODE_GRANT]: 'device_code',
  [DEVICE_CODE_ALIAS]: 'device_code',
  [ON_BEHALF_OF_GRANT]: 'assertion',
  [TOKEN_EXCHANGE_GRANT]: 'subject_token',
};

/** Requests of clients to an open authority: each goes to the tenant that issued what it brings. */
export class DirectedRequests {
  readonly #tenants: Tenants;

  constructor(tenants: Tenants) {
    this.#tenants = tenants;
  }

  /** A token request. What begins with no tenant's artifact can not be served: `invalid_request`. */
  async byGrant(call: AuthorityCall): Promise<Directed | undefined> {
    const { request, fields } = await read(call);
    const grant = only(fields, 'grant_type') ?? '';
    const parameter = Object.hasOwn(ISSUED, grant) ? ISSUED[grant] : undefined;
    if (parameter === undefined) return refuse(call);
    const tenantId = await this.#issuerOf(only(fields, parameter));
    if (tenantId) return { request, tenantId };
    call.refuse(400, 'grantGone', 'invalid_grant');
    return undefined;
  }

  /** Introspection and revocation. */
  async byToken(call: AuthorityCall): Promise<Directed | undefined> {
    const { request, fields } = await read(call);
    const tenantId = await this.#issuerOf(only(fields, 'token'));
    return tenantId ? { request, tenantId } : refuse(call);
  }

  /** Userinfo. */
  async byBearer(call: AuthorityCall): Promise<Directed | undefined> {
    const { request } = call;
    const tenantId = await this.#issuerOf(bearerToken(request.headers.authorization));
    return tenantId ? { request, tenantId } : refuse(call);
  }

  /** A tenant that is not there, or closed, has issued nothing that is still good. */
  async #issuerOf(value: string | undefined): Promise<TenantId | undefined> {
    const id = value === undefined ? undefined : tenantNamedIn(value);
    return id && (await this.#tenants.find(id))?.id;
  }
}

function refuse(call: AuthorityCall): undefined {
  call.refuse(400, 'tenantNotNamed');
}

/** A doubled parameter names nothing. */
function only(fields: URLSearchParams, name: string): string | undefined {
  const [value, second] = fields.getAll(name);
  return second === undefined ? value : undefined;
}

interface ReadRequest {
  readonly request: IncomingMessage;
  readonly fields: URLSearchParams;
}

/** A body that is too large names nothing either. */
async function read({ request, response }: AuthorityCall): Promise<ReadRequest> {
  try {
    const body = await bytesOf(request, MAX_BYTES);
    return { request: unread(request, body), fields: new URLSearchParams(body.toString()) };
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    response.setHeader('Connection', 'close');
    return { request, fields: new URLSearchParams() };
  }
}

/** The request as it was before its body was read: the library reads it itself. */
function unread(request: IncomingMessage, body: Buffer): IncomingMessage {
  const again = new IncomingMessage(request.socket);
  const { headers, rawHeaders, method, url, httpVersion, httpVersionMajor, httpVersionMinor } = request;
  const line = { method, url, httpVersion, httpVersionMajor, httpVersionMinor };
  Object.assign(again, line, { headers, rawHeaders, complete: true });
  again.push(body);
  again.push(null);
  return again;
}
