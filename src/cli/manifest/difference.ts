/**
 * The properties of `wanted` that are not so in `existing`. Only what is wanted counts, inside of objects too; absent
 * and null are the same.
 */
export function differenceOf<Wanted extends object>(wanted: Wanted, existing: object): Partial<Wanted> {
  const known = new Map<string, unknown>(Object.entries(existing));
  const entries = Object.entries(wanted).filter(
    ([name, value]) => value !== undefined && !isSame(value, known.get(name)),
  );
  return Object.fromEntries(entries) as Partial<Wanted>; // a selection of its own entries
}

function isSame(wanted: unknown, existing: unknown): boolean {
  if (wanted === undefined) return true;
  if (wanted === null || existing === null || existing === undefined) return wanted === (existing ?? null);
  if (Array.isArray(wanted))
    return (
      Array.isArray(existing) &&
      existing.length === wanted.length &&
      wanted.every((value, index) => isSame(value, existing[index]))
    );
  if (typeof wanted !== 'object' || typeof existing !== 'object') return wanted === existing;
  return Object.keys(differenceOf(wanted, existing)).length === 0;
}
