import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';

/** Far more than the longest honest form, far less than what would cost anything (DOS-10). */
const MAX_BYTES = 16_384;
const MAX_FIELDS = 20;

/** Why a submitted form is not looked at. */
export type FormFault = 'tooLarge' | 'notAForm' | 'malformed' | 'crossSite' | 'stale';

const STATUS: Record<FormFault, number> = { tooLarge: 413, notAForm: 415, malformed: 400, crossSite: 403, stale: 400 };

export class FormError extends Error {
  readonly fault: FormFault;
  readonly status: number;

  constructor(fault: FormFault) {
    super(`The form was refused: ${fault}.`);
    this.fault = fault;
    this.status = STATUS[fault];
  }
}

/** The fields of a form that came from one of our own pages. */
export class SubmittedForm {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  text(name: string): string {
    return this.#fields.get(name) ?? '';
  }

  get accepts(): boolean {
    return this.text('decision') === 'accept';
  }

  /** A box that was ticked, a button with that meaning. */
  isSet(name: string): boolean {
    return this.text(name) === 'true';
  }

  get cancels(): boolean {
    return this.text('decision') === 'cancel';
  }
}

/** Makes and checks the tokens by which a form proves that it came from the page that we showed (SES-01, SES-02). */
export class Forms {
  readonly #key: Buffer;
  readonly #origin: string;

  /** @param key 32 bytes */
  constructor(key: Buffer, origin: string) {
    this.#key = key;
    this.#origin = origin;
  }

  /** The token of what a page belongs to: one interaction, or one session. */
  tokenFor(bound: string): string {
    return createHmac('sha256', this.#key).update(bound).digest('base64url');
  }

  /**
   * Reads a posted form.
   * @throws FormError
   */
  async read(request: IncomingMessage, bound: string, maxFields = MAX_FIELDS): Promise<SubmittedForm> {
    this.#requireSameOrigin(request);
    return this.formOf(request, await bodyOf(request), bound, maxFields);
  }

  /**
   * The form that a body is, already read.
   * @throws FormError
   */
  formOf(request: IncomingMessage, body: string, bound: string, maxFields = MAX_FIELDS): SubmittedForm {
    this.#requireSameOrigin(request);
    const form = new SubmittedForm(fieldsOf(body, maxFields));
    const token = Buffer.from(form.text('csrf'));
    const expected = Buffer.from(this.tokenFor(bound));
    if (token.length !== expected.length || !timingSafeEqual(token, expected)) throw new FormError('stale');
    return form;
  }

  /** Browsers tell where a form stands; what comes from elsewhere is refused, whatever it carries. */
  #requireSameOrigin({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site'];
    if (headers.origin !== undefined && headers.origin !== this.#origin) throw new FormError('crossSite');
    if (site !== undefined && site !== 'same-origin') throw new FormError('crossSite');
  }
}

/** @throws FormError */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new FormError('notAForm');
  const bytes = await bytesOf(request, MAX_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormError('malformed');
  }
}

/** @throws FormError `tooLarge` */
export async function bytesOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new FormError('tooLarge');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBytes) throw new FormError('tooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function fieldsOf(body: string, maxFields: number): Map<string, string> {
  const pairs = [...new URLSearchParams(body)];
  const fields = new Map(pairs);
  if (fields.size !== pairs.length || pairs.length > maxFields) throw new FormError('malformed');
  return fields;
}
