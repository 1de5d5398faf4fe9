import type { ObjectId } from '../vocabulary/ids.ts';

/** Who added scopes to a grant, and under what; the database adds when. */
export interface GrantOrigin {
  readonly scopes: readonly string[];
  /** A user or service principal; null: the operator. */
  readonly by: ObjectId | null;
  /** The policy under which a person allowed them himself. */
  readonly policy: string | null;
  /** The approved request for consent. */
  readonly requestId: ObjectId | null;
}

/** The origins in a parameter, with the time of now. */
export const ORIGINS = (parameter: string) =>
  `coalesce((select jsonb_agg(o || jsonb_build_object('at', clock_timestamp())) from jsonb_array_elements(${parameter}::jsonb) o), '[]')`;

/** One origin for each policy under which some of the scopes were allowed. */
export function originsOf(
  scopes: readonly string[],
  by: ObjectId | undefined,
  policyOf: (scope: string) => string | undefined = () => undefined,
  requestId?: ObjectId,
): readonly GrantOrigin[] {
  return [...Map.groupBy(new Set(scopes), (scope) => policyOf(scope) ?? null)].map(([policy, allowed]) => ({
    scopes: allowed,
    by: by ?? null,
    policy,
    requestId: requestId ?? null,
  }));
}
