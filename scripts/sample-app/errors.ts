/** What people can do about the errors that they may cause themselves (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6). */
const MEANINGS: Readonly<Record<string, readonly [title: string, words: string]>> = {
  access_denied: ['Not allowed', 'You, or your organization, did not allow this application what it asked for.'],
  invalid_grant: ['Sign in again', 'What you had allowed is over, or was taken back.'],
  login_required: ['Sign in again', 'You are not signed in any more.'],
};

/** An error in words, with what the issuer says of it: openid-client puts `error` and `error_description` on its errors. */
export function explain(error: unknown): { readonly title: string; readonly words: string } {
  if (!(error instanceof Error)) return { title: 'That did not work', words: String(error) };
  const code = 'error' in error ? String(error.error) : '';
  const described = 'error_description' in error ? String(error.error_description ?? '') : '';
  const [title, words] = MEANINGS[code] ?? ['That did not work', error.message];
  return { title, words: [words, [code, described].filter(Boolean).join(': ')].filter(Boolean).join('\n') };
}
