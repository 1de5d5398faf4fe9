/** What a token can carry of groups; Entra's limit for JWTs. */
export const MAX_GROUPS = 200;

/**
 * The groups of a person as a token names them; where they are too many, a reference to where they can be asked for
 * (OpenID Connect Core, section 5.6.2), which every reader must know to look for.
 * @param endpoint answers `POST` with the ids: `…/users/{id}/getMemberObjects`
 */
export function groupClaims(ids: readonly string[], endpoint: string): Readonly<Record<string, unknown>> {
  if (ids.length === 0) return {};
  if (ids.length <= MAX_GROUPS) return { groups: ids };
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
}
