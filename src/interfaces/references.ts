/**
 * A body whose links to our own objects are relative, as operations expect them. A link to anywhere else stays as it is,
 * and is refused by the operation: nothing is ever fetched (API-11).
 */
export function withRelativeReferences(body: unknown, origin: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const prefix = `${origin}/v1.0/`;
  const relative = (value: unknown) =>
    typeof value === 'string' && value.startsWith(prefix) ? value.slice(prefix.length) : value;
  const entries = Object.entries(body).map(([name, value]) => {
    if (name === '@odata.id') return [name, relative(value)];
    if (name.endsWith('@odata.bind') && Array.isArray(value)) return [name, value.map(relative)];
    return [name, value];
  });
  return Object.fromEntries(entries);
}
