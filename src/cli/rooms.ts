import type { NewSigningKey, SigningAlgorithm } from '../authorization/internal/signing-keys.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { Config } from '../config.ts';

/** What `main.ts` hands to the command line: the other rooms, already wired. */
export interface Rooms {
  readonly stdout: Output;
  readonly stderr: Output;
  /** @throws ConfigError */
  config(options?: { readonly tls: boolean }): Config;
  /** Opens the deployment as its operator. */
  openOperator(): Promise<Operator>;
  /** Serves until a signal comes. */
  serve(options: ServeOptions): Promise<void>;
}

export interface Output {
  write(text: string): unknown;
}

export const SIDES = ['authentication', 'directory'] as const;
export type Side = (typeof SIDES)[number];

export interface ServeOptions {
  readonly sides: readonly Side[];
  readonly processes: number;
  readonly tls: boolean;
}

export interface Operator {
  readonly authorization: Authorization;
  makeSigningKey(algorithm: SigningAlgorithm, slot: 'current' | 'next'): Promise<NewSigningKey>;
  /** The rule that a password breaks, in words; undefined when it is accepted. */
  passwordProblem(password: string, words: PasswordWords): string | undefined;
  close(): Promise<void>;
}

export interface PasswordWords {
  readonly organizationWords: readonly string[];
  readonly userWords: readonly string[];
}

/** A mistake of whoever typed the command: exit code 2. */
export class UsageError extends Error {}
/** Something that can not be done: exit code 1. */
export class CommandError extends Error {}
