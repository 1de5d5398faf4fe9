import type { ObjectType } from '../../vocabulary/objects.ts';

/** One thing that was done. What is secret in it was made just now and is shown this once. */
export interface Change {
  readonly change: 'created' | 'updated' | 'granted';
  readonly type: ObjectType;
  readonly id: string;
  readonly name: string;
  readonly appId?: string;
  /** A one-time password, which must be changed at the first sign-in. */
  readonly password?: string;
  readonly secretText?: string;
}

/** What a command did in one tenant. */
export interface TenantReport {
  readonly id: string;
  readonly displayName: string;
  readonly domains: readonly string[];
  readonly changes: Change[];
}

export function reportText(reports: readonly TenantReport[]): string {
  const lines = reports.flatMap(({ displayName, id, changes }) => [
    `${displayName} (${id})${changes.length === 0 ? ': nothing to change' : ''}`,
    ...changes.map((change) => `  ${changeText(change)}`),
  ]);
  return lines.join('\n');
}

function changeText({ change, type, name, appId, password, secretText }: Change): string {
  const shown = [
    ...(appId ? [`appId ${appId}`] : []),
    ...(password ? [`one-time password ${password}`] : []),
    ...(secretText ? [`secret ${secretText}`] : []),
  ];
  return `${change} ${type} ${name}${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`;
}
