import { adminApplicationPage } from '../../src/authentication/pages/admin-application.ts';
import { adminApplicationsPage } from '../../src/authentication/pages/admin-applications.ts';
import { ADMIN_AREAS } from '../../src/authentication/pages/admin-frame.ts';
import type { ApplicationIdentity } from '../../src/authentication/pages/application.ts';
import type { AssetLinks } from '../../src/authentication/pages/assets.ts';
import { consentPage } from '../../src/authentication/pages/consent.ts';
import { explainPage } from '../../src/authentication/pages/explain.ts';
import type { Html } from '../../src/authentication/pages/html.ts';
import { myApplicationPage, myApplicationsPage } from '../../src/authentication/pages/my-applications.ts';
import { needsApprovalPage } from '../../src/authentication/pages/needs-approval.ts';
import type { Permission } from '../../src/authentication/pages/permissions.ts';
import { policiesPage } from '../../src/authentication/pages/policies.ts';
import { reportPage } from '../../src/authentication/pages/report.ts';
import { requestSentPage } from '../../src/authentication/pages/request-form.ts';
import { requestPage, requestsPage } from '../../src/authentication/pages/requests.ts';
import { accessRevokedPage, revokedPage } from '../../src/authentication/pages/revoked.ts';
import type { ObjectId } from '../../src/vocabulary/ids.ts';
import type { RemovedAccess } from '../../src/vocabulary/removed-access.ts';

const SINCE = new Date('2026-01-12T09:30:00Z');
const USED = new Date('2026-03-08T14:00:00Z');
const ID = '7d9f3c52-0000-4000-8000-000000000001' as ObjectId; // as an id reads
const form = { action: '/interaction/1', csrf: 'token-7', hidden: { xsrf: 'x-1' } };

/** One model of each page of consent governance; `t` gives every free text its value. */
export function consentPages(assets: AssetLinks, t: (text: string) => string): Record<string, Html> {
  const layout = { assets, tenant: { displayName: t('Contoso'), domain: t('contoso.example') } };
  const account = { username: t('alice@contoso.example'), displayName: t('Alice Adams'), switchHref: '/switch' };
  const application: ApplicationIdentity = {
    displayName: t('Fabrikam Analytics'),
    appId: t('b2f0d7f4-5c3e-4d3a-8f0e-2d3c8f1a9b77'),
    publisher: t('Fabrikam'),
    trust: 'verified',
    verifiedPublisher: t('fabrikam.example'),
    homeTenant: { displayName: t('Fabrikam'), domain: t('fabrikam.example') },
    redirectHost: t('analytics.fabrikam.example'),
    termsHref: 'https://fabrikam.example/terms',
    privacyHref: 'https://fabrikam.example/privacy',
  };
  const read: Permission = {
    value: t('User.Read'),
    title: t('Sign you in and read your profile'),
    description: t('Reads your name and your address.'),
    state: 'grantedToYou',
  };
  const all: Permission = {
    value: t('User.Read.All'),
    title: t('Read all users'),
    description: t('Reads everybody of your organization.'),
    state: 'new',
  };
  const permissions = [{ resource: t('Directory'), permissions: [all, read] }];
  const organization = t('Contoso');
  const frame = { layout, base: '/t/admin', accountHref: '/t/account', areas: ADMIN_AREAS, waiting: 2 };
  const removed: RemovedAccess = {
    grants: [
      {
        resourceId: ID,
        resourceDisplayName: t('Directory'),
        consentType: 'Principal',
        scopes: [t('User.Read'), t('Mail.Read')],
        count: 3,
      },
    ],
    appRoleAssignments: [
      { resourceId: ID, resourceDisplayName: t('Directory'), appRoleId: ID, value: t('User.Read.All') },
    ],
    tokenFamilies: 4,
    users: 3,
    stillGrantedForEverybody: true,
    removed: false,
  };
  const granted = (value: string, grantedBy?: string) => ({
    resource: t('Directory'),
    value: t(value),
    since: SINCE,
    lastUsed: USED,
    ...(grantedBy ? { grantedBy: t(grantedBy) } : {}),
  });
  const scope = (field: string, value: string, title: string, needsAdministrator = false) => ({
    field,
    resource: t('Directory'),
    value: t(value),
    title: t(title),
    needsAdministrator,
    isApprovable: !needsAdministrator,
    checked: true,
    description: t('In the words of the API.'),
    ...{ isPublished: true, isApproved: field === 'p0' },
  });
  const requested = {
    ...{ frame, application, moreRequesters: 3, expiresAt: USED },
    scopes: [
      scope('p0', 'User.Read.All', 'Read all users'),
      scope('p1', 'Group.Read.All', 'Read all groups'),
      scope('p2', 'RoleManagement.ReadWrite.Directory', 'Manage administrators', true),
    ],
    requesters: [
      {
        name: t('Alice Adams'),
        username: t('alice@contoso.example'),
        reason: t('For the quarterly report.'),
        askedAt: SINCE,
        scopes: [t('User.Read.All'), t('Group.Read.All')],
      },
      {
        ...{ name: t('Bob Baker'), username: t('bob@contoso.example'), reason: t('I plan shifts with it.') },
        ...{ askedAt: USED, scopes: [t('RoleManagement.ReadWrite.Directory')] },
      },
    ],
  };
  const myRequest = { application: t('Fabrikam Analytics'), askedAt: SINCE };
  return {
    consentFurther: consentPage({ layout, form, account, application, permissions, withGranted: true }),
    needsApprovalRequest: needsApprovalPage({
      ...{ layout, form, account, application, organization, permissions, withGranted: true },
      approvers: [],
      request: { form, reason: t('Because'), problem: 'reasonTooLong' },
    }),
    needsApprovalToAsk: needsApprovalPage({
      ...{ layout, form, account, application, organization, permissions, withGranted: true },
      ...{ approvers: [], request: { form } },
    }),
    needsApprovalAsked: needsApprovalPage({
      ...{ layout, form, account, application, organization, permissions, withGranted: true },
      ...{ approvers: [], asked: { state: 'waiting', askedAt: SINCE }, againHref: '/interaction/1' },
    }),
    needsApprovalDenied: needsApprovalPage({
      ...{ layout, form, account, application, organization, permissions, approvers: [], request: { form } },
      asked: { state: 'denied', askedAt: SINCE, justification: t('Not for this.') },
    }),
    requestSent: requestSentPage({
      ...{ layout, form, organization, withGranted: true, applicationsHref: '/t/my-applications' },
      againHref: '/interaction/1',
      application: t('Fabrikam Analytics'),
    }),
    myApplications: myApplicationsPage({
      ...{ layout, account, accountHref: '/t/account' },
      applications: [
        {
          displayName: t('HR'),
          href: '/t/my-applications/1',
          permissions: [t('Read you')],
          since: SINCE,
          lastUsed: USED,
          isByYou: true,
        },
        {
          displayName: t('Mail'),
          href: '/t/my-applications/2',
          permissions: [t('Read your mail')],
          since: SINCE,
          lastUsed: null,
          isByYou: false,
        },
      ],
      requests: [
        { ...myRequest, state: 'approved', justification: t('Enjoy.'), href: '/t/my-applications/3' },
        { ...myRequest, state: 'waiting' },
        { ...myRequest, state: 'denied', justification: t('Use the other one.') },
        { ...myRequest, state: 'expired' },
      ],
    }),
    myApplication: myApplicationPage({
      ...{ layout, application, since: SINCE, lastUsed: USED, revoke: form },
      ...{ openHref: 'https://analytics.fabrikam.example', applicationsHref: '/t/my-applications' },
      resources: [
        {
          resource: t('Directory'),
          permissions: [
            { title: t('Read you'), value: t('User.Read'), isByYou: true },
            { title: t('Read all groups'), value: t('Group.Read.All'), isByYou: false },
          ],
        },
      ],
      request: { ...myRequest, state: 'approved', justification: t('Only this part.') },
    }),
    revoked: revokedPage({ layout, application: t('HR'), removed, applicationsHref: '/t/my-applications' }),
    adminApplications: adminApplicationsPage({
      ...{ frame, search: t('F'), nextHref: '/t/admin/applications?after=x' },
      applications: [
        {
          displayName: t('Fabrikam Analytics'),
          href: '/t/admin/applications/1',
          publisher: t('Fabrikam'),
          trust: 'verified',
          isEnabled: true,
          addedAt: SINCE,
          lastUsed: USED,
        },
        {
          displayName: t('HR'),
          href: '/t/admin/applications/2',
          publisher: t('Contoso'),
          trust: 'organization',
          isEnabled: true,
          addedAt: SINCE,
          lastUsed: null,
        },
        {
          displayName: t('Free Wallpapers'),
          href: '/t/admin/applications/3',
          publisher: t('Walls'),
          trust: 'unverified',
          isEnabled: false,
          addedAt: SINCE,
          lastUsed: null,
        },
      ],
    }),
    adminApplication: adminApplicationPage({
      ...{ frame, application, isEnabled: true, lastUsed: USED, morePeople: 12 },
      forEverybody: [granted('User.Read', 'Ada Okafor'), granted('Group.Read.All')],
      appRoles: [granted('AuditLog.Read.All', 'Ada Okafor')],
      people: [{ name: t('Alice Adams'), permissions: [granted('Mail.Read')], revoke: form }],
      ...{
        grantHref: '/t/v2.0/adminconsent?client_id=1',
        explainHref: '/t/admin/explain?client=1',
        disable: form,
        revoke: form,
        remove: form,
      },
    }),
    accessRevoked: accessRevokedPage({
      ...{ frame, application: t('HR'), person: t('Alice'), removed, applicationHref: '/t/admin/applications/1' },
    }),
    requests: requestsPage({
      ...{ frame, isClosed: false, nextHref: '/t/admin/requests?after=x' },
      requests: [
        {
          application: t('Fabrikam Analytics'),
          href: '/r/1',
          state: 'waiting',
          scopes: [t('User.Read.All')],
          askedAt: SINCE,
          expiresAt: USED,
        },
        {
          application: t('HR'),
          href: '/r/2',
          state: 'approved',
          scopes: [t('User.Read')],
          askedAt: SINCE,
          expiresAt: USED,
        },
      ],
    }),
    request: requestPage({
      ...{ ...requested, state: 'waiting', form, problem: 'nothingChosen', justification: t('Fine.') },
      availability: 'registeredItself',
    }),
    requestToReview: requestPage({ ...requested, state: 'waiting', form }),
    requestDecided: requestPage({
      ...{ ...requested, state: 'denied' },
      decision: { by: t('Ada Okafor'), at: USED, justification: t('No.'), forEverybody: false },
    }),
    requestApproved: requestPage({
      ...{ ...requested, state: 'approved' },
      decision: { by: t('Ada Okafor'), at: USED, justification: t('Only this part.'), forEverybody: false },
    }),
    policies: policiesPage({
      ...{ frame, consentForm: form, requestForm: form, done: true, problem: t('It is not valid.') },
      policies: [
        {
          field: 'p0',
          id: t('bailiwick-user-default'),
          displayName: t('Own applications and sign-in'),
          description: t('What is safe.'),
          isAssigned: true,
        },
        {
          field: 'p1',
          id: t('microsoft-user-default-low'),
          displayName: t('Low risk'),
          description: null,
          isAssigned: false,
        },
      ],
      requests: {
        ...{ isEnabled: true, durationInDays: 30, notifyReviewers: true, remindersEnabled: false },
        reviewers: [
          { field: 'r0', displayName: t('Ada Okafor'), kind: 'user' },
          { field: 'r1', displayName: t('Security'), kind: 'group' },
          { field: 'r2', kind: 'role' },
        ],
        ...{
          added: { user: t('bob@contoso.example'), group: t('reviewers'), role: 'r1' },
          roles: [{ id: 'r1', displayName: t('Helpdesk') }],
          sendsMail: false,
          webhookUrl: `https://hooks.example/${t('requests')}`,
        },
      },
    }),
    explain: explainPage({
      frame,
      question: {
        clientAppId: t('b2f0d7f4-5c3e-4d3a-8f0e-2d3c8f1a9b77'),
        username: t('alice'),
        resource: t('r'),
        scope: t('User.Read'),
      },
      problem: t('There is no such user.'),
      explanation: {
        ...{ issued: true, scopes: [t('User.Read')], roles: [t('Reader')] },
        ...{ application: t('HR'), username: t('alice'), api: t('Bailiwick directory') },
        steps: [
          { outcome: 'pass', rule: 'Application', words: 'It is here and enabled.' },
          {
            outcome: 'pass',
            rule: 'Permission',
            subject: t('User.Read'),
            words: 'Granted.',
            because: t('For everybody, by Ada.'),
          },
          { outcome: 'narrowed', rule: 'Permission', subject: t('Mail.Read'), words: 'Nobody consented to it.' },
        ],
      },
    }),
    explained: explainPage({
      frame,
      question: {
        ...{ clientAppId: t('b2f0d7f4-5c3e-4d3a-8f0e-2d3c8f1a9b77'), username: t('alice@contoso.example') },
        ...{ resource: '', scope: t('User.Read Mail.Read') },
      },
      explanation: {
        ...{ issued: true, scopes: [t('User.Read')], roles: [], application: t('Fabrikam Analytics') },
        username: t('alice@contoso.example'),
        steps: [
          { outcome: 'pass', rule: 'Application', words: 'It is here and enabled.' },
          { outcome: 'pass', rule: 'User', words: 'The account is enabled.' },
          {
            ...{ outcome: 'pass', rule: 'Permission', subject: t('User.Read'), words: 'It was granted.' },
            because: t('For everybody, by Ada Okafor.'),
          },
          { outcome: 'narrowed', rule: 'Permission', subject: t('Mail.Read'), words: 'Nobody consented to it.' },
        ],
      },
    }),
    explainRefused: explainPage({
      frame,
      question: { clientAppId: t('b2f0'), username: '', resource: '', scope: '' },
      explanation: {
        ...{ issued: false, refusal: { code: 7000112, words: 'The application is disabled in this organization.' } },
        ...{ scopes: [], roles: [], application: t('HR') },
        steps: [{ outcome: 'fail', rule: 'Application', subject: t('HR'), words: 'It is disabled here.' }],
      },
    }),
    report: reportPage({
      ...{ frame, nextHref: '/t/admin/report?after=x' },
      entries: [
        {
          ...{ application: t('Free Wallpapers'), href: '/t/admin/applications/3', resource: t('Directory') },
          ...{ permissions: [t('User.Read.All')], forWhom: t('For everybody'), since: SINCE, lastUsed: null },
          findings: ['unused', 'overBroad', 'unverifiedPublisher', 'disabled', 'ownerless'],
        },
      ],
    }),
  };
}
