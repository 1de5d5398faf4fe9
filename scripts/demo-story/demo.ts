import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './processes.ts';

/** Of config/demo.yaml, what the story is about. */
export interface Organization {
  readonly id: string;
  readonly displayName: string;
  readonly domains: readonly [string, ...string[]];
  readonly users: readonly Person[];
  readonly applications: readonly Application[];
}

export interface Person {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly password: string;
}

export interface Application {
  readonly appId: string;
  readonly displayName: string;
  readonly web?: { readonly redirectUris: readonly string[] };
  readonly passwordCredentials?: readonly { readonly secretText: string }[];
}

const { tenants }: { tenants: readonly Organization[] } = parse(
  readFileSync(join(ROOT, 'config', 'demo.yaml'), 'utf8'),
);

export function organization(displayName: string): Organization {
  return found(
    displayName,
    tenants.find((one) => one.displayName === displayName),
  );
}

/** By the part of his name before the `@`. */
export function person({ users }: Organization, name: string): Person {
  return found(
    name,
    users.find(({ userPrincipalName }) => userPrincipalName.startsWith(`${name}@`)),
  );
}

export function application({ applications }: Organization, displayName: string): Application {
  return found(
    displayName,
    applications.find((one) => one.displayName === displayName),
  );
}

function found<Thing>(name: string, thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error(`config/demo.yaml does not hold ${name}, whom the story needs.`);
  return thing;
}
