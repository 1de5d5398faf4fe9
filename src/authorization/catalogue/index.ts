import type { AnyOperation } from '../operation.ts';
import * as accessRevocation from './access-revocation.ts';
import * as appRoleAssignments from './app-role-assignments.ts';
import * as applicationAccess from './application-access.ts';
import * as applications from './applications.ts';
import * as auditLogs from './audit-logs.ts';
import * as authorizationPolicy from './authorization-policy.ts';
import * as classifications from './classifications.ts';
import * as consentRequestPolicy from './consent-request-policy.ts';
import * as consentRequests from './consent-requests.ts';
import * as consentUsage from './consent-usage.ts';
import * as explain from './explain.ts';
import * as federatedCredentials from './federated-credentials.ts';
import * as groups from './groups.ts';
import * as logos from './logos.ts';
import * as memberObjects from './member-objects.ts';
import * as organization from './organization.ts';
import * as owners from './owners.ts';
import * as pageConsents from './page-consents.ts';
import * as permissionGrantPolicies from './permission-grant-policies.ts';
import * as permissionGrants from './permission-grants.ts';
import * as publishers from './publishers.ts';
import * as registration from './registration.ts';
import * as roleManagement from './role-management.ts';
import * as servicePrincipals from './service-principals.ts';
import * as userPasswords from './user-passwords.ts';
import * as userSessions from './user-sessions.ts';
import * as users from './users.ts';

/** Every operation of the directory API. Routes, isolation tests and the reference are made from this list. */
export const CATALOGUE: readonly AnyOperation[] = [
  organization,
  users,
  userPasswords,
  userSessions,
  groups,
  applications,
  federatedCredentials,
  registration,
  servicePrincipals,
  appRoleAssignments,
  permissionGrants,
  roleManagement,
  pageConsents,
  accessRevocation,
  applicationAccess,
  auditLogs,
  explain,
  owners,
  logos,
  memberObjects,
  publishers,
  permissionGrantPolicies,
  authorizationPolicy,
  classifications,
  consentUsage,
  consentRequestPolicy,
  consentRequests,
].flatMap((module): AnyOperation[] => Object.values(module));
