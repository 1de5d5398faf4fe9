import type { Command } from 'commander';
import { explainToken } from '../authorization/catalogue/explain.ts';
import type { ExplainedStep, TokenExplanation } from '../authorization/explanation.ts';
import { PRE_AUTHORIZED } from '../vocabulary/token-decision.ts';
import { print, table } from './output.ts';
import { People } from './people.ts';
import type { Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly client: string;
  readonly user?: string;
  readonly resource?: string;
  readonly scope?: string;
  readonly json: boolean;
}

export function addConsentExplain(consent: Command, rooms: Rooms): void {
  consent
    .command('explain')
    .description('Say what a token of an application would carry, and why: the decision of the token endpoint itself.')
    .requiredOption(...TENANT_OPTION)
    .requiredOption('--client <appId>', 'the application that would get the token')
    .option('--user <userPrincipalName>', 'signed in; without it, the application on its own')
    .option('--resource <resource>', 'the API, by app id or identifier URI; the directory API unless a scope names one')
    .option('--scope <scopes>', 'what is asked for; all that is granted unless named')
    .option('--json', 'print as JSON', false)
    .action((options: Options) => explain(rooms, options));
}

async function explain(rooms: Rooms, { tenant, client, user, resource, scope, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const userId = user === undefined ? undefined : (await People.of(tenancy)).named(user).id;
    const body = { clientAppId: client, userId, resource, scope };
    const explanation = await tenancy.perform(explainToken, { body });
    print(rooms, explanation, json, () => wordsOf(explanation));
  });
}

function wordsOf({ issued, refusal, scopes, roles, resource, trace }: TokenExplanation): string {
  const api = resource.displayName ?? resource.appId;
  const carried = [...scopes, ...roles].join(' ');
  const head = issued
    ? `A token for ${api} carries: ${carried}`
    : `No token: AADSTS${refusal?.code} ${refusal?.message}`;
  return `${head}\n\n${table(['RULE', 'OUTCOME', 'ABOUT', 'WHY'], trace.map(rowOf))}`;
}

function rowOf({ step, outcome, subject = '', message, by }: ExplainedStep): string[] {
  const granted =
    (by?.policy === PRE_AUTHORIZED ? 'pre-authorized' : by?.policy) ??
    by?.consentType ??
    (by?.assignment ? 'assigned' : '');
  return [step, outcome, subject, message ?? [granted, by?.consentedDateTime].filter(Boolean).join(' ')];
}
