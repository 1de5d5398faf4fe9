import { randomBytes } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Interaction, InteractionKind, PageCall } from './visit.ts';

const SECONDS = 3_600;

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
    { request, response, tenancy }: Pick<PageCall, 'request' | 'response' | 'tenancy'>,
    kind: InteractionKind,
    { params = {}, returnTo }: { readonly params?: Readonly<Record<string, string>>; readonly returnTo: string },
  ): Promise<string> {
    const uid = randomBytes(24).toString('base64url');
    // The library's type definitions leave out the constructor.
    const InteractionOf = this.#provider.Interaction as unknown as new (uid: string, payload: object) => Interaction;
    const prompt = { name: kind, reasons: [], details: {} };
    await new InteractionOf(uid, { prompt, params, returnTo, cid: uid }).save(SECONDS);
    const path = `/${tenancy.tenantId}/interaction/${uid}`;
    const { cookies } = this.#provider.createContext(request, response);
    const options = { httpOnly: true, overwrite: true, sameSite: 'lax', secure: this.#secure, path } as const;
    cookies.set(this.#provider.cookieName('interaction'), uid, { ...options, maxAge: SECONDS * 1_000 });
    return path;
  }
}
