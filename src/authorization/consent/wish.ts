import { readConsentPolicies } from '../../directory/consent-policies.ts';
import { readRequestedApplication } from '../../directory/consent-request-review.ts';
import { requirePublished } from '../../directory/permission-grants.ts';
import type { Permit } from '../../store/permit.ts';
import type { ScopesOfApi } from '../../vocabulary/consent-requests.ts';
import { badRequest, notFound } from '../../vocabulary/errors.ts';
import type { AppId, ObjectId } from '../../vocabulary/ids.ts';
import { verdictOn } from './decision.ts';

/** What a person would have an application do for him. */
interface Wish {
  readonly appId: AppId;
  readonly scopes: readonly { readonly resourceId: ObjectId; readonly values: readonly string[] }[];
}

/** The same in the words of a request: APIs by their app ids, and the application's name of now. */
export interface WantedConsent {
  readonly appId: AppId;
  readonly appDisplayName: string;
  readonly scopes: readonly ScopesOfApi[];
}

/**
 * Whether there is reason to ask for it: it is offered, and the person may not consent to all of it himself.
 * @throws DirectoryError `Request_BadRequest`, `Request_ResourceNotFound` for an API that is not here
 */
export async function wantedConsent(
  permit: Permit<'directory/appConsentRequests/ownRequest/create'>,
  { appId, scopes }: Wish,
): Promise<WantedConsent> {
  const { displayName, isAvailable } = await readRequestedApplication(permit, appId);
  if (displayName === null || !isAvailable)
    throw badRequest('The application is disabled or not offered to this organization.');
  for (const { resourceId, values } of scopes) await requirePublished(permit, resourceId, values);
  const policies = await readConsentPolicies(
    permit,
    appId,
    scopes.map(({ resourceId }) => resourceId),
  );
  const isAllowed = scopes.every(({ resourceId, values }) =>
    values.every((value) => verdictOn(policies, resourceId, value).allowed),
  );
  if (isAllowed) throw badRequest('You may consent to this yourself.');
  const named = scopes.map(({ resourceId, values }) => {
    const resource = policies.resources.find((known) => known.resourceId === resourceId);
    if (!resource) throw notFound();
    return { resourceAppId: resource.appId, values };
  });
  return { appId, appDisplayName: displayName, scopes: named };
}
