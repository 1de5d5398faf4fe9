/** SQL: whether its home took an application away from the bound tenant. `$1` is the tenant. */
export const WITHDRAWN = (appId: string) =>
  `exists (select from published_withdrawals w where w.tenant_id = $1 and w.app_id = ${appId})`;

/** SQL: whether its home has neither deleted, unpublished nor deactivated an application, nor withdrawn it from here. */
export const OFFERED = (
  appId: string,
) => `((exists (select from applications a where a.tenant_id = $1 and a.app_id = ${appId} and not a.is_disabled)
  or exists (select from published_applications p where p.app_id = ${appId} and not p.is_disabled))
  and not ${WITHDRAWN(appId)})`;
