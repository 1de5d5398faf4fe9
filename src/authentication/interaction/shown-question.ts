import { hash } from 'node:crypto';
import type { SubmittedForm } from './submitted-form.ts';
import type { AskingApplication, Visit } from './visit.ts';

/** The hidden field by which an answer names the question that it answers. */
const FIELD = 'shown';

/**
 * What somebody is asked on a page: who he is, who asks, and for what. Its digest stands in the form, so that an answer
 * counts for what was on the page and nothing else: the application's owner can change what it requires, what it is
 * called and what a permission says of itself while the page is being read, and somebody else can sign in meanwhile.
 */
export class ShownQuestion {
  readonly #digest: string;

  /** @param asked permissions with all their words, without whether they are granted already */
  constructor({ session }: Visit, { definition }: AskingApplication, asked: unknown) {
    const { displayName, publisherDomain, homeTenantId } = definition;
    const shown = [session.accountId, displayName, publisherDomain, homeTenantId, asked];
    this.#digest = hash('sha256', JSON.stringify(shown), 'base64url');
  }

  get hidden(): Readonly<Record<string, string>> {
    return { [FIELD]: this.#digest };
  }

  isAnsweredBy(form: SubmittedForm): boolean {
    return form.text(FIELD) === this.#digest;
  }
}
