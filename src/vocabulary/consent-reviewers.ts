import { isGuid } from './ids.ts';

/** Who reviews requests for consent: a person, the members of a group, or the holders of a directory role. */
export interface ConsentReviewer {
  readonly kind: 'user' | 'group' | 'role';
  /** Of the user or group, or the role definition's; in lower case. */
  readonly id: string;
}

const VERSION = String.raw`^(?:/(?:v1\.0|beta))?`;
const GUID = '([0-9a-f-]{36})';
const FORMS = [
  ['user', new RegExp(`${VERSION}/users/${GUID}$`, 'i')],
  ['group', new RegExp(`${VERSION}/groups/${GUID}/(?:transitiveMembers|members)(?:/microsoft\\.graph\\.user)?$`, 'i')],
  [
    'role',
    new RegExp(
      `${VERSION}/roleManagement/directory/roleAssignments\\?\\$filter=roleDefinitionId(?: |%20|\\+)eq(?: |%20|\\+)'${GUID}'$`,
      'i',
    ),
  ],
] as const;

/** What a query in Graph's `accessReviewReviewerScope` names; nothing for one of another form. */
export function parseReviewer(query: string): ConsentReviewer | undefined {
  for (const [kind, form] of FORMS) {
    const id = form.exec(query)?.[1];
    if (id !== undefined && isGuid(id)) return { kind, id: id.toLowerCase() };
  }
  return undefined;
}

/** The query by which Graph names such a reviewer. */
export function reviewerQuery({ kind, id }: ConsentReviewer): string {
  if (kind === 'user') return `/users/${id}`;
  if (kind === 'group') return `/groups/${id}/transitiveMembers/microsoft.graph.user`;
  return `/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '${id}'`;
}
