import { ListQueryError, type PropertyReference } from '../../vocabulary/list-query.ts';

/**
 * The asked-for properties of one object; without `select` all allowed ones. A property that is not allowed and one that
 * does not exist are refused alike.
 * @throws ListQueryError
 */
export function selectProperties<Value extends object>(
  object: Value,
  select: readonly PropertyReference[] | undefined,
  allowed: readonly string[],
): Partial<Value> {
  const unknown = select?.find(({ path }) => !allowed.includes(path));
  if (unknown) throw unknownSelection(unknown);
  const wanted = select ? new Set(select.map(({ path }) => path)) : undefined;
  const entries = Object.entries(object).filter(([name]) => allowed.includes(name) && (wanted?.has(name) ?? true));
  return Object.fromEntries(entries) as Partial<Value>; // some of the object's own entries
}

function unknownSelection({ path, at }: PropertyReference): ListQueryError {
  return new ListQueryError('$select', `"${path.slice(0, 64)}" is not a property of this object.`, at);
}
