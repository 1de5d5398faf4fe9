import { displayText } from '../../vocabulary/display-text.ts';

/** `dangerous` and `leftOut` are not in the application; `changed` is, in another form. */
export type FindingKind = 'dangerous' | 'leftOut' | 'changed';

/** Something of the file that is not taken over as it stands. */
export interface Finding {
  readonly kind: FindingKind;
  /** As the file calls it. */
  readonly property: string;
  /** Of redirect URIs, ids and names; never of what could be secret or is unknown. */
  readonly value?: string;
  readonly reason: string;
}

const HEADINGS: readonly (readonly [FindingKind, string])[] = [
  ['dangerous', 'Not taken over, because it is dangerous:'],
  ['changed', 'Taken over in another form:'],
  ['leftOut', 'Not taken over:'],
];
const MAX_SHOWN = 160;
const USER_INFORMATION = /\/\/[^/?#]*@/;

/** What somebody else wrote into the file, as it can be shown: without line ends, control characters and passwords. */
export function shown(value: unknown): { readonly value: string } | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return { value: displayText(value.replace(USER_INFORMATION, '//…@'), MAX_SHOWN) };
}

export function findingsText(findings: readonly Finding[]): string[] {
  return HEADINGS.flatMap(([kind, heading]) => {
    const lines = findings
      .filter((finding) => finding.kind === kind)
      .map(({ property, value, reason }) => `  ${property}${value === undefined ? '' : ` ${value}`}: ${reason}`);
    return lines.length === 0 ? [] : ['', heading, ...lines];
  });
}
