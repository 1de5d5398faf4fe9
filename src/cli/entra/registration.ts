import { displayText } from '../../vocabulary/display-text.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { type ApplicationManifest, applicationSchema } from '../manifest/schema.ts';
import { UsageError } from '../rooms.ts';
import { type Finding, shown } from './findings.ts';
import { graphFormOf, isBlank, isObject } from './graph-form.ts';
import { audienceOf, type Destination, FLAGS, RULES, type Taking, wordOf } from './rules.ts';

export interface Registration {
  readonly manifest: ApplicationManifest & { readonly appId: string };
  readonly findings: readonly Finding[];
}

/**
 * An application of Entra's as this product can have it. Nothing of it is trusted more than what a caller of the
 * directory API sends: the same schemas judge it, and what they refuse is left out and said.
 * @throws UsageError when the file is no application, or has no appId by which a second import would find it again
 */
export function registrationOf(file: unknown, destination: Destination): Registration {
  if (!isObject(file)) throw new UsageError('The file must hold one application, as a JSON object.');
  const { properties, nameOf } = graphFormOf(file);
  const appId = parseAppId(wordOf(properties.get('appId')));
  if (!appId) throw new UsageError('appId: The file must have the appId of the application, a GUID.');
  if (appId === DIRECTORY_APP_ID) throw new UsageError('appId: This is the directory API itself.');
  const findings: Finding[] = [];
  const isForOthers = audienceOf(properties.get('signInAudience')) === 'AzureADMultipleOrgs';
  const taken: Record<string, unknown> = { appId };
  for (const [property, value] of properties) {
    const find: Taking['find'] = (kind, reason, subject) => {
      findings.push({ kind, property: displayText(nameOf(property), 80), ...shown(subject), reason });
    };
    const rule = RULES.get(property);
    if (isBlank(value) && !(value === false && FLAGS.has(property))) continue;
    if (!rule) find('leftOut', 'Bailiwick has no such property.');
    else set(taken, property, rule(value, { ...destination, appId, isForOthers, find }));
  }
  const parsed = applicationSchema.safeParse(taken);
  if (parsed.success) return { manifest: { ...parsed.data, appId }, findings };
  throw new UsageError(
    parsed.error.issues.map(({ path, message }) => `${nameOf(path.map(String).join('.'))}: ${message}`).join('\n'),
  );
}

function set(taken: Record<string, unknown>, property: string, value: unknown): void {
  const [group = '', name] = property.split('.');
  if (value === undefined) return;
  if (name === undefined) taken[group] = value;
  else taken[group] = { ...(isObject(taken[group]) ? taken[group] : {}), [name]: value };
}
