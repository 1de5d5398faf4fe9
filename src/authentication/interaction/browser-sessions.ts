import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { currentRequest } from '../oauth-request.ts';
import { sessionSeconds } from '../session-lifetime.ts';
import type { SignedIn } from './password-sign-in.ts';

export type BrowserSession = Awaited<ReturnType<Provider['Session']['get']>>;

export const PASSWORD_AMR = ['pwd'];
/** Their class (OpenID Connect Core, section 2): one factor. */
export const PASSWORD_ACR = '1';
const DEVICE_SECONDS = 180 * 24 * 3_600;

/** Cookies of a browser, and the library's session behind one of them. One set for each tenant. */
export class BrowserSessions {
  readonly #provider: Provider;
  readonly #secure: boolean;

  constructor(provider: Provider, secure: boolean) {
    this.#provider = provider;
    this.#secure = secure;
  }

  async current(request: IncomingMessage, response: ServerResponse): Promise<BrowserSession> {
    return this.#provider.Session.get(this.#provider.createContext(request, response));
  }

  /** Begins a session of our own pages under a fresh identifier; what was there before is gone (SES-03). */
  async begin(
    request: IncomingMessage,
    response: ServerResponse,
    former: BrowserSession,
    { userId, authenticatedAt }: Pick<SignedIn, 'userId' | 'authenticatedAt'>,
  ): Promise<BrowserSession> {
    const isSamePerson = former.accountId === userId;
    if (former.accountId && !isSamePerson) await former.destroy();
    const session = isSamePerson ? former : this.#fresh();
    session.loginAccount({ accountId: userId, loginTs: authenticatedAt, amr: PASSWORD_AMR, acr: PASSWORD_ACR });
    if (isSamePerson) session.resetIdentifier();
    const seconds = sessionSeconds(authenticatedAt);
    await session.save(seconds);
    this.#setCookie(request, response, this.#provider.cookieName('session'), session.jti, seconds);
    return session;
  }

  #fresh(): BrowserSession {
    // The library's type definitions leave out the constructor.
    const SessionOf = this.#provider.Session as unknown as new () => BrowserSession;
    return new SessionOf();
  }

  async end(request: IncomingMessage, response: ServerResponse, session: BrowserSession): Promise<void> {
    await session.destroy();
    this.#setCookie(request, response, this.#provider.cookieName('session'), null);
  }

  /** The value by which a person's own device is told from an attacker's (DOS-06). */
  deviceOf(request: IncomingMessage, response: ServerResponse): string | undefined {
    const value = this.#provider.createContext(request, response).cookies.get(this.#deviceCookie());
    return value !== undefined && value.length <= 64 ? value : undefined;
  }

  rememberDevice(request: IncomingMessage, response: ServerResponse, device: string): void {
    this.#setCookie(request, response, this.#deviceCookie(), device, DEVICE_SECONDS);
  }

  #deviceCookie(): string {
    return `${this.#secure ? '__Host-' : ''}bailiwick-device-${currentRequest().tenantId}`;
  }

  #setCookie(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    value: string | null,
    seconds?: number,
  ): void {
    const lifetime = seconds === undefined ? {} : { maxAge: seconds * 1_000 };
    const options = { httpOnly: true, overwrite: true, path: '/', sameSite: 'lax', secure: this.#secure } as const;
    this.#provider.createContext(request, response).cookies.set(name, value, { ...options, ...lifetime });
  }
}
