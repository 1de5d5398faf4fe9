import type Provider from 'oidc-provider';
import type { Authorization } from '../../authorization/perform.ts';
import type { TenantRoute } from '../authentication-server.ts';
import type { Clients } from '../clients/clients.ts';
import { deviceRoute } from '../device/device-routes.ts';
import { DeviceStep } from '../device/device-step.ts';
import { UserCodes } from '../device/user-codes.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { OnRefusal } from '../refusal-records.ts';
import type { Resources } from '../resources.ts';
import type { Tenants } from '../tenants.ts';
import { AccountPages } from './account-pages.ts';
import { accountRoutes } from './account-routes.ts';
import { AdminApplicationsPages } from './admin-applications-pages.ts';
import { adminConsentRoute } from './admin-consent-route.ts';
import { AdminConsentStep } from './admin-consent-step.ts';
import { AdminPoliciesPages } from './admin-policies-pages.ts';
import { AdminRequestsPages } from './admin-requests-pages.ts';
import { adminRoutes } from './admin-routes.ts';
import { BrowserSessions } from './browser-sessions.ts';
import { ConsentQuestions } from './consent-question.ts';
import { ConsentStep } from './consent-step.ts';
import type { ErrorPages } from './error-pages.ts';
import { interactionRoutes } from './interaction-routes.ts';
import { MyApplicationsPages } from './my-applications-pages.ts';
import { myApplicationsRoutes } from './my-applications-routes.ts';
import { Outcomes } from './outcomes.ts';
import { OwnInteractions } from './own-interactions.ts';
import type { PageWriter } from './page-writer.ts';
import { PasswordChange } from './password-change.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { PasswordStep } from './password-step.ts';
import { postedRequestRoute } from './posted-request-route.ts';
import { RequestStep } from './request-step.ts';
import { SelectAccountStep } from './select-account-step.ts';
import { SignInStep } from './sign-in-step.ts';
import { SignedInPages } from './signed-in-pages.ts';
import { Forms } from './submitted-form.ts';

export interface MakeInteractionOptions {
  readonly authorization: Authorization;
  readonly origin: string;
  readonly keys: { readonly forms: Buffer };
  readonly passwords: Passwords;
  readonly sendsMail: boolean;
  readonly onRefusal: OnRefusal;
  readonly provider: Provider;
  readonly clients: Clients;
  readonly resources: Resources;
  readonly tenants: Tenants;
  readonly writer: PageWriter;
  readonly errorPages: ErrorPages;
}

/** Puts together what a person goes through between an application's request and its answer. */
export function makeInteraction(options: MakeInteractionOptions): { readonly routes: readonly TenantRoute[] } {
  const {
    authorization,
    origin,
    keys,
    passwords,
    provider,
    clients,
    resources,
    tenants,
    writer,
    errorPages,
    onRefusal,
  } = options;
  const sessions = new BrowserSessions(provider, origin.startsWith('https:'));
  const interactions = new OwnInteractions(provider, origin.startsWith('https:'));
  const forms = new Forms(keys.forms, origin);
  const outcomes = new Outcomes(authorization, sessions, writer);
  const signIn = new PasswordSignIn({
    authorization,
    passwords,
    onUnknownUser: ({ tenantId, context }, reason) => onRefusal({ tenantId, reason }, context),
  });
  const change = new PasswordChange(authorization, passwords, signIn);
  const common = { authorization, sessions, interactions, forms, writer, outcomes };
  const passwordStep = new PasswordStep({ ...common, change, signIn });
  const signInStep = new SignInStep({ ...common, signIn, passwordStep });
  const questions = new ConsentQuestions(authorization, resources, outcomes);
  const requestStep = new RequestStep({ ...common, questions, origin });
  const signedInPages = new SignedInPages({ ...common, clients });
  const parts = {
    ...{ provider, clients, tenants, sessions, interactions, errorPages, writer, onRefusal },
    passwordStep,
    signInStep,
    selectAccountStep: new SelectAccountStep({ ...common, signInStep }),
    consentStep: new ConsentStep({ ...common, questions, requestStep }),
    requestStep,
    adminConsentStep: new AdminConsentStep({ ...common, resources }),
    accountPages: new AccountPages({ ...common, change }),
    signedInPages,
    myApplicationsPages: new MyApplicationsPages(signedInPages),
    adminApplications: new AdminApplicationsPages(signedInPages),
    adminRequests: new AdminRequestsPages(signedInPages),
    adminPolicies: new AdminPoliciesPages(signedInPages, options.sendsMail),
    deviceStep: new DeviceStep({
      ...{ ...common, provider, clients, resources, signInStep },
      userCodes: new UserCodes(authorization, provider),
    }),
  };
  return {
    routes: [
      ...interactionRoutes(parts),
      adminConsentRoute(parts),
      deviceRoute(parts),
      postedRequestRoute(parts),
      ...accountRoutes(parts),
      ...myApplicationsRoutes(parts),
      ...adminRoutes(parts),
    ],
  };
}
