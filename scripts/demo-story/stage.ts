import type { Application, Organization } from './demo.ts';
import type { Deployment } from './processes.ts';

/** An answer, with what the story reads of its JSON. That it says so is what the steps check. */
export interface Answer<Body = TokenBody | DirectoryBody> {
  readonly status: number;
  readonly text: string;
  readonly body: Body;
}

/** Of the token endpoint: RFC 6749, sections 5.1 and 5.2. */
export interface TokenBody {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly error?: string;
  readonly error_description?: string;
  readonly suberror?: string;
}

/** Of the directory API. */
interface DirectoryBody {
  readonly value?: readonly unknown[];
  readonly userPrincipalName?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A step that came out otherwise. Its words are what came back. */
export class StoryError extends Error {}

export const DIRECTORY_APP_ID = '00000003-0000-0000-c000-000000000000';

/** Where the story plays: a deployment that is reached over HTTP and by its command line, and who is told. */
export class Stage {
  readonly #deployment: Deployment;
  readonly #say: (line: string) => void;

  constructor(deployment: Deployment, say: (line: string) => void) {
    this.#deployment = deployment;
    this.#say = say;
  }

  get origin(): string {
    return this.#deployment.origin;
  }

  title(words: string): void {
    this.#say(`\n${words}`);
  }

  /** A step of the story. @throws StoryError when it does not hold */
  step(words: string, expected: string, came: string, holds: boolean): void {
    if (!holds) throw new StoryError(`${words}: expected ${expected}, but what came back was ${came.slice(0, 400)}`);
    this.#say(`✓ ${words}: ${came.slice(0, 160)}`);
  }

  /** A step that ends in an answer of this status. */
  answered(words: string, answer: Answer, status: number, holds = true): void {
    this.step(words, String(status), `${answer.status} ${reasonOf(answer)}`.trim(), answer.status === status && holds);
  }

  /** What the administrator does by the command line. */
  async administer(words: string, ...command: string[]): Promise<void> {
    await this.#deployment.bailiwick(...command);
    this.#say(`  ${words}`);
  }

  /** The token endpoint, asked by an application with its secret. */
  async token(
    { id }: Organization,
    { appId, passwordCredentials }: Application,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Answer<TokenBody>> {
    const secret = passwordCredentials?.[0]?.secretText ?? '';
    const body = new URLSearchParams({ client_id: appId, client_secret: secret, ...parameters });
    return answerOf(await fetch(`${this.origin}/${id}/oauth2/v2.0/token`, { method: 'POST', body }));
  }

  /** The directory API, called with an access token. */
  async directory(token: string, method: string, path: string, body?: object): Promise<Answer<DirectoryBody>> {
    const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const sent = body ? { body: JSON.stringify(body) } : {};
    return answerOf(await fetch(`${this.#deployment.directoryOrigin}/v1.0${path}`, { method, headers, ...sent }));
  }
}

function reasonOf({ body }: Answer): string {
  if ('error_description' in body) return body.error_description ?? '';
  return typeof body.error === 'object' ? body.error.message : '';
}

async function answerOf<Body>(response: Response): Promise<Answer<Body>> {
  const text = await response.text();
  return { status: response.status, text, body: text ? JSON.parse(text) : {} };
}
