import { availableParallelism } from 'node:os';
import { argon2id, hash, needsRehash, verify } from 'argon2';
import { DirectoryError } from '../../vocabulary/errors.ts';
import type { TenantId } from '../../vocabulary/ids.ts';
import {
  checkNewPassword,
  isTooLong,
  normalizePassword,
  PASSWORD_REASONS,
  type PasswordReason,
} from './password-rules.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** More at once than cores lowers the throughput of all of them (measured: by almost half at twice the cores). */
const MAX_RUNNING = availableParallelism();
const MAX_WAITING = 64;
const RETRY_AFTER_SECONDS = 5;

export interface PasswordsOptions {
  /** 32 bytes that are not in the database: without them a dump can not even be guessed at. */
  readonly pepper: Buffer;
  /** Names by which the organization is known, for the blocklist. */
  organizationWords(tenantId: TenantId): Promise<readonly string[]>;
}

/** Hashes and verifies passwords: argon2id, in the thread pool, so many at once and no more. */
export class Passwords {
  readonly #options: PasswordsOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #dummy: Promise<string> | undefined;

  constructor(options: PasswordsOptions) {
    this.#options = options;
  }

  /**
   * Checks a new password against the rules and returns its hash.
   * @throws DirectoryError `Request_BadRequest` with the rule, `TooManyRequests`
   */
  async hashNewPassword(tenantId: TenantId, password: string, userWords: readonly string[]): Promise<string> {
    const [reason] = await this.reasonsAgainst(tenantId, password, userWords);
    if (reason) throw new DirectoryError('Request_BadRequest', `password: ${PASSWORD_REASONS[reason]}`);
    return this.#hash(password);
  }

  /** All reasons against a new password; none: it is accepted. */
  async reasonsAgainst(
    tenantId: TenantId,
    password: string,
    userWords: readonly string[],
  ): Promise<readonly PasswordReason[]> {
    const organizationWords = await this.#options.organizationWords(tenantId);
    return checkNewPassword(password, { organizationWords, userWords });
  }

  /** A fresh hash of a password that was just verified, where the stored one has older parameters. */
  async renewed(stored: string, password: string): Promise<string | undefined> {
    return needsRehash(stored, PARAMETERS) ? this.#hash(password) : undefined;
  }

  /** Whether the password is the one of the hash. Without a hash the same work is done, and the answer is no. */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    if (isTooLong(password)) return false;
    const against = stored ?? (await this.#dummyHash());
    const matches = await this.#bounded(() =>
      verify(against, normalizePassword(password), { secret: this.#options.pepper }),
    );
    return matches && stored !== undefined;
  }

  #hash(password: string): Promise<string> {
    return this.#bounded(() => hash(normalizePassword(password), { ...PARAMETERS, secret: this.#options.pepper }));
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= this.#hash('the password of nobody');
    return this.#dummy;
  }

  async #bounded<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new DirectoryError('TooManyRequests', undefined, { retryAfter: RETRY_AFTER_SECONDS });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
