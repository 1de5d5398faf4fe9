import { randomUUID } from 'node:crypto';
import { application, organization, person } from './demo.ts';
import { type Answer, DIRECTORY_APP_ID, type Stage } from './stage.ts';

/** An application on its own behalf: no consent, no token; the token does what was consented to and no more. */
export async function tellOfTheDaemon(stage: Stage): Promise<void> {
  stage.title('Contoso Nightly Report, a program without a person');
  const contoso = organization('Contoso');
  const daemon = application(contoso, 'Contoso Nightly Report');
  const asked = { grant_type: 'client_credentials', scope: `${DIRECTORY_APP_ID}/.default` };
  const askToken = () => stage.token(contoso, daemon, asked);
  const consent = (verb: 'grant' | 'revoke', words: string, role: string) =>
    stage.administer(
      words,
      ...['consent', verb, '--tenant', contoso.domains[0], '--client', daemon.appId, '--app-role', role],
    );

  const refused = await askToken();
  stage.answered('Without consent the daemon gets no token', refused, 400, refused.body.error === 'invalid_scope');
  await consent('grant', 'the administrator consents: User.Read.All', 'User.Read.All');
  const first = await askToken();
  stage.answered('With consent it gets one', first, 200, typeof first.body.access_token === 'string');
  await readAndNoMore(stage, first.body.access_token);

  await consent('grant', 'the administrator consents: User.ReadWrite.All', 'User.ReadWrite.All');
  await consent('grant', 'the administrator consents: AuditLog.Read.All', 'AuditLog.Read.All');
  const second = await askToken();
  stage.answered('A new token carries what was added', second, 200);
  await write(stage, second.body.access_token);
  await reachAcross(stage, second.body.access_token);

  for (const role of ['User.Read.All', 'User.ReadWrite.All', 'AuditLog.Read.All'])
    await consent('revoke', `the administrator withdraws ${role}`, role);
  const late = await stage.directory(second.body.access_token, 'GET', '/users');
  stage.answered(
    'The same token is refused at once',
    late,
    401,
    late.body.error?.code === 'InvalidAuthenticationToken',
  );
  const again = await askToken();
  stage.answered('And there is no new one', again, 400, again.body.error === 'invalid_scope');
}

async function readAndNoMore(stage: Stage, token: string): Promise<void> {
  const contoso = organization('Contoso');
  const people = await stage.directory(token, 'GET', '/users');
  const isComplete = people.body.value?.length === contoso.users.length;
  stage.answered('Reading the people of Contoso works', people, 200, isComplete);
  const bob = person(contoso, 'bob');
  const early = await stage.directory(token, 'PATCH', `/users/${bob.id}`, { jobTitle: 'Astronaut' });
  const isDenied = early.body.error?.code === 'Authorization_RequestDenied';
  stage.answered('Writing with a read permission is refused', early, 403, isDenied);
}

async function write(stage: Stage, token: string): Promise<void> {
  const bob = person(organization('Contoso'), 'bob');
  const jobTitle = `Astronaut ${randomUUID().slice(0, 8)}`;
  stage.answered('Writing works', await stage.directory(token, 'PATCH', `/users/${bob.id}`, { jobTitle }), 204);
  const filter = encodeURIComponent(`targetResources/any(t:t/id eq '${bob.id}')`);
  const audits = await stage.directory(token, 'GET', `/auditLogs/directoryAudits?$filter=${filter}`);
  stage.answered('The change is in the audit, with its new value', audits, 200, audits.text.includes(jobTitle));
}

async function reachAcross(stage: Stage, token: string): Promise<void> {
  const carol = person(organization('Fabrikam'), 'carol');
  const foreign = await stage.directory(token, 'GET', `/users/${carol.id}`);
  const nobody = await stage.directory(token, 'GET', `/users/${randomUUID()}`);
  const isSame = essence(foreign) === essence(nobody);
  stage.answered('A person of the other organization is not found', foreign, 404, isSame);
}

/** Status and body without what differs in every answer: the request's id and date. */
function essence({ status, text }: Answer): string {
  return `${status} ${text.replace(/"innerError":\{[^}]*\}/, '')}`;
}
