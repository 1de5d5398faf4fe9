import { addScopes } from '../../directory/consents.ts';
import { lockGrants } from '../../directory/permission-grants.ts';
import { readTokenFacts } from '../../directory/token-facts.ts';
import { shareTurns } from '../../directory/turns.ts';
import type { AppId, ObjectId } from '../../vocabulary/ids.ts';
import type { ObjectChange } from '../../vocabulary/objects.ts';
import { PRE_AUTHORIZED, type TokenAsk } from '../../vocabulary/token-decision.ts';
import { preAuthorizedScopes } from '../consent/pre-authorization.ts';
import { internalOperation } from '../operation.ts';

export interface PreAuthorizedSignIn {
  readonly appId: AppId;
  readonly userId: ObjectId;
  readonly asks: readonly TokenAsk[];
}

/** Writes down for one person what APIs pre-authorized, as far as it still holds: a grant like another, to be seen and revoked. */
export const grantPreAuthorized = internalOperation({
  action: 'authentication/consents/preAuthorize',
  access: 'write',
  short: false,
  raisesVersion: true,
  audit: {
    activity: 'Consent to application by pre-authorization',
    category: 'ApplicationManagement',
    type: 'Add',
    object: 'OAuth2PermissionGrant',
  },
  changes: (_input: PreAuthorizedSignIn, changes: readonly ObjectChange[]) => changes,
  binding: ({ appId }) => ({ appId }),
  run: async (permit, { appId, userId, asks }): Promise<readonly ObjectChange[]> => {
    const resourceAppIds = asks.map(({ resource }) => resource);
    await shareTurns(permit, { ids: [userId], appIds: [appId, ...resourceAppIds] });
    // Who takes something away at this moment is first: what is read afterwards has his mark.
    await lockGrants(permit, { appId, userId });
    const facts = await readTokenFacts(permit, { appId, userId, resourceAppIds });
    const clientId = facts?.client.servicePrincipalId;
    if (!facts || !clientId) return [];
    const changes: ObjectChange[] = [];
    for (const { resource, values } of preAuthorizedScopes(facts, asks)) {
      const resourceId = resource.servicePrincipalId;
      const who = { principalIds: [userId], by: resourceId };
      const scopes = { resourceId, values, policyOf: () => PRE_AUTHORIZED };
      changes.push(...(await addScopes(permit, clientId, who, scopes)));
    }
    return changes;
  },
});
