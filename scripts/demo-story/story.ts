import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Deployment, ROOT } from './processes.ts';

/** Of config/demo.yaml, what the story is about. */
interface DemoTenant {
  readonly id: string;
  readonly displayName: string;
  readonly domains: readonly string[];
  readonly users: readonly { readonly id: string; readonly userPrincipalName: string }[];
  readonly applications: readonly {
    readonly appId: string;
    readonly displayName: string;
    readonly passwordCredentials?: readonly { readonly secretText: string }[];
  }[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the answer, which the steps check
  readonly body: any;
}

type Say = (line: string) => void;

/** A step that came out otherwise. Its words are what came back. */
export class StoryError extends Error {}

/**
 * The main job, told over HTTP and by the command line alone: no consent, no token; the token does what was consented
 * to and no more; what is withdrawn is refused at once.
 */
export async function tellStory(deployment: Deployment, say: Say): Promise<void> {
  const { tenants }: { tenants: readonly DemoTenant[] } = parse(
    readFileSync(join(ROOT, 'config', 'demo.yaml'), 'utf8'),
  );
  const [contoso, fabrikam] = tenants;
  const daemon = contoso?.applications.find(({ displayName }) => displayName === 'Contoso Nightly Report');
  const secret = daemon?.passwordCredentials?.[0]?.secretText;
  const [bob, carol] = [contoso?.users.at(-1), fabrikam?.users.at(-1)];
  if (!contoso || !daemon || !secret || !bob || !carol)
    throw new StoryError('config/demo.yaml does not hold the people and applications of the story.');

  const askToken = () => requestToken(deployment.origin, contoso.id, daemon.appId, secret);
  const call = (token: string, method: string, path: string, body?: object) =>
    directory(deployment.directoryOrigin, token, method, path, body);
  const consent = (verb: 'grant' | 'revoke', role: string) =>
    deployment.bailiwick(
      'consent',
      verb,
      '--tenant',
      contoso.domains[0] ?? '',
      '--client',
      daemon.appId,
      '--resource',
      DIRECTORY,
      '--app-role',
      role,
    );

  const refused = await askToken();
  expectThat(say, 'Without consent the daemon gets no token', refused, 400, refused.body.error === 'invalid_scope');

  await consent('grant', 'User.Read.All');
  say('  the administrator consents: User.Read.All');
  const first = await askToken();
  expectThat(say, 'With consent it gets one', first, 200, typeof first.body.access_token === 'string');
  const readToken = String(first.body.access_token);

  const people = await call(readToken, 'GET', '/v1.0/users');
  expectThat(
    say,
    'Reading the people of Contoso works',
    people,
    200,
    people.body.value?.length === contoso.users.length,
  );
  const early = await call(readToken, 'PATCH', `/v1.0/users/${bob.id}`, { jobTitle: 'Astronaut' });
  expectThat(
    say,
    'Writing with a read permission is refused',
    early,
    403,
    early.body.error?.code === 'Authorization_RequestDenied',
  );

  await consent('grant', 'User.ReadWrite.All');
  await consent('grant', 'AuditLog.Read.All');
  say('  the administrator consents: User.ReadWrite.All, AuditLog.Read.All');
  const second = await askToken();
  expectThat(say, 'A new token carries what was added', second, 200, true);
  const writeToken = String(second.body.access_token);
  const jobTitle = `Astronaut ${randomUUID().slice(0, 8)}`;
  expectThat(say, 'Writing works', await call(writeToken, 'PATCH', `/v1.0/users/${bob.id}`, { jobTitle }), 204, true);
  const audits = await call(
    writeToken,
    'GET',
    `/v1.0/auditLogs/directoryAudits?$filter=${encodeURIComponent("activityDisplayName eq 'Update user'")}`,
  );
  expectThat(say, 'The change is in the audit, with its new value', audits, 200, audits.text.includes(jobTitle));

  const foreign = await call(writeToken, 'GET', `/v1.0/users/${carol.id}`);
  const nobody = await call(writeToken, 'GET', `/v1.0/users/${randomUUID()}`);
  expectThat(
    say,
    'A person of the other organization is not found',
    foreign,
    404,
    essence(foreign) === essence(nobody),
  );

  for (const role of ['User.Read.All', 'User.ReadWrite.All', 'AuditLog.Read.All']) await consent('revoke', role);
  say('  the administrator withdraws all of it');
  const late = await call(writeToken, 'GET', '/v1.0/users');
  expectThat(
    say,
    'The same token is refused at once',
    late,
    401,
    late.body.error?.code === 'InvalidAuthenticationToken',
  );
  const again = await askToken();
  expectThat(say, 'And there is no new one', again, 400, again.body.error === 'invalid_scope');
}

const DIRECTORY = '00000003-0000-0000-c000-000000000000';

async function requestToken(origin: string, tenant: string, clientId: string, secret: string): Promise<Answer> {
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
    scope: `${DIRECTORY}/.default`,
  };
  return answerOf(
    await fetch(`${origin}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) }),
  );
}

async function directory(origin: string, token: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  return answerOf(await fetch(origin + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }));
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, text, body: text ? JSON.parse(text) : {} };
}

/** Status and body without what differs in every answer: the request's id and date. */
function essence({ status, text }: Answer): string {
  return `${status} ${text.replace(/"innerError":\{[^}]*\}/, '')}`;
}

function expectThat(say: Say, step: string, answer: Answer, status: number, holds: boolean): void {
  const { error, error_description } = answer.body;
  const words = error_description ?? error?.message ?? '';
  const came = `${answer.status}${words ? ` ${words}` : ''}`;
  if (answer.status !== status || !holds)
    throw new StoryError(`${step}: expected ${status}, but what came back was ${came.slice(0, 400)}`);
  say(`✓ ${step}: ${came.slice(0, 160)}`);
}
