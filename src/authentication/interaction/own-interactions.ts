import { randomBytes } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Interaction, InteractionKind, PageCall } from './visit.ts';

const SECONDS = 3_600;

type Call = Pick<PageCall, 'request' | 'response' | 'tenancy'>;

/** A device code, as far as it says what the device asked for. */
interface ConfirmedDevice {
  readonly jti: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** Interactions that our own pages begin, so that there is one sign-in page for all. */
export class OwnInteractions {
  readonly #provider: Provider;
  readonly #secure: boolean;

  constructor(provider: Provider, secure: boolean) {
    this.#provider = provider;
    this.#secure = secure;
  }

  /** Begins an interaction in this browser; returns its path. */
  async begin(
    call: Call,
    kind: InteractionKind,
    { params = {}, returnTo }: { readonly params?: Readonly<Record<string, string>>; readonly returnTo: string },
  ): Promise<string> {
    const uid = await this.#save({ prompt: promptOf(kind), params, returnTo });
    const path = `/${call.tenancy.tenantId}/interaction/${uid}`;
    this.#setCookie(call, 'interaction', uid, path);
    return path;
  }

  /**
   * Hands a device that a person has confirmed to the library, as an interaction of its own that is over: it goes on with
   * sign-in and consent, as far as they are still wanted, and approves. Returns where; whoever is signed in meanwhile
   * instead of him gets nowhere.
   */
  async goOnWithDevice(call: PageCall, { jti: deviceCode, params = {} }: ConfirmedDevice): Promise<string> {
    const { tenancy, session } = call;
    const path = `/${tenancy.tenantId}/device/`;
    const { accountId, uid: sessionUid } = session;
    const begun = { session: { accountId, uid: sessionUid }, deviceCode };
    const uid = await this.#save({ prompt: promptOf('device'), params, returnTo: path, ...begun });
    this.#setCookie(call, 'resume', uid, `${path}${uid}`);
    return `${path}${uid}`;
  }

  async #save(payload: object): Promise<string> {
    const uid = randomBytes(24).toString('base64url');
    // The library's type definitions leave out the constructor.
    const InteractionOf = this.#provider.Interaction as unknown as new (uid: string, payload: object) => Interaction;
    await new InteractionOf(uid, { cid: uid, ...payload }).save(SECONDS);
    return uid;
  }

  #setCookie({ request, response }: Call, type: 'interaction' | 'resume', uid: string, path: string): void {
    const { cookies } = this.#provider.createContext(request, response);
    const options = { httpOnly: true, overwrite: true, sameSite: 'lax', secure: this.#secure, path } as const;
    cookies.set(this.#provider.cookieName(type), uid, { ...options, maxAge: SECONDS * 1_000 });
  }
}

function promptOf(name: InteractionKind) {
  return { name, reasons: [], details: {} };
}
