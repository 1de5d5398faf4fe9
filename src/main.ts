import cluster from 'node:cluster';
import { createHmac } from 'node:crypto';
import { makeAuthentication } from './authentication/authentication.ts';
import { makeSigningKey } from './authentication/keys/signing-key-material.ts';
import { checkCurrentPassword } from './authentication/passwords/current-password.ts';
import { checkNewPassword, PASSWORD_REASONS } from './authentication/passwords/password-rules.ts';
import { Passwords } from './authentication/passwords/passwords.ts';
import { makeVerifyAccessToken } from './authentication/tokens/access-tokens.ts';
import { CATALOGUE } from './authorization/catalogue/index.ts';
import { listKeys } from './authorization/internal/signing-keys.ts';
import { getTenant, NO_TENANT } from './authorization/internal/tenants.ts';
import { Authorization } from './authorization/perform.ts';
import type { Operator, Rooms, ServeOptions, Side } from './cli/rooms.ts';
import { runCommandLine } from './cli.ts';
import { type Config, ownEnvironment, readConfig } from './config.ts';
import { makeDirectoryApi } from './interfaces/directory-api.ts';
import { SkipTokens } from './interfaces/odata/skip-token.ts';
import { makeOutbound } from './outbound/fetch.ts';
import { readCertificate } from './server/certificates.ts';
import { Courier } from './server/courier.ts';
import { withHealth } from './server/health.ts';
import { Janitor } from './server/janitor.ts';
import { type Certificate, type Listening, listen } from './server/listener.ts';
import { errorFields, type Logs, makeLogs } from './server/log.ts';
import { Mailer } from './server/mailer.ts';
import { makeAddressOf } from './server/proxies.ts';
import { runWorkers } from './server/workers.ts';
import { type Database, openDatabase } from './store/database.ts';
import { migrate } from './store/migrate.ts';
import { databaseProblems } from './store/safety.ts';
import { Store } from './store/store.ts';
import { badRequest } from './vocabulary/errors.ts';
import type { TenantId } from './vocabulary/ids.ts';
import { deploymentApplications } from './vocabulary/permissions.ts';
import { internalPrincipal } from './vocabulary/principals.ts';

/** What is in flight when a signal comes gets this long; container engines kill after ten seconds. */
const GRACE_MS = 8_000;
/** Nobody waits for a webhook's answer. */
const WEBHOOK_MS = 10_000;

const rooms: Rooms = {
  stdout: process.stdout,
  stderr: process.stderr,
  config: (options) => readConfig(ownEnvironment(), options),
  openOperator: () => openOperator(readConfig(ownEnvironment())),
  serve: (options) => serve(readConfig(ownEnvironment(), options), options),
};

process.exitCode = await runCommandLine(process.argv.slice(2), rooms);
// The channel to the primary would keep a worker alive.
if (process.connected) process.disconnect();

async function serve(config: Config, options: ServeOptions): Promise<void> {
  const logs = makeLogs(config.logLevel);
  const ended = untilSignal();
  const database = await openDatabase(config);
  try {
    if (database.isEmbedded && cluster.isPrimary)
      await migrate(database, deploymentApplications(config.directory.origin));
    await requireSafe(database, options.sides);
    const certificate = readCertificate(config, options.tls);
    if (cluster.isPrimary && options.processes > 1) await runWorkers(options.processes, ended, logs.server);
    else await serveHere(config, options.sides, certificate, database, logs, ended);
  } finally {
    await database.close();
  }
}

/** Both sides, or one, in this process: each with its own login and nothing of the other's. */
async function serveHere(
  config: Config,
  sides: readonly Side[],
  certificate: Certificate | undefined,
  database: Database,
  logs: Logs,
  ended: Promise<unknown>,
): Promise<void> {
  const opened: { close(): Promise<void> }[] = [];
  let proving: Login | undefined;
  const listening: Listening[] = [];
  try {
    for (const side of sides) {
      const login = openLogin(database, side, logs, proving);
      opened.push(login);
      if (side === 'authentication') proving = login;
      const handle = side === 'authentication' ? authenticationOf : directoryOf;
      const listener = withHealth(handle(config, database, login, logs), () => isHealthy(login.authorization));
      listening.push(await listen(config[side], listener, certificate));
      if (side === 'authentication')
        opened.push(startJanitor(login.authorization, logs), startCourier(config, login.authorization, logs));
      logs.server.info({ side, origin: config[side].origin }, 'Serving.');
    }
    await ended;
    logs.server.info({}, 'Ending: what is in flight is finished.');
  } finally {
    await Promise.all(listening.map((listener) => listener.close(GRACE_MS)));
    for (const part of opened.reverse()) await part.close();
  }
}

function authenticationOf(config: Config, { sealer }: Database, { authorization, passwords }: Login, logs: Logs) {
  const secretKey = sealer.derive('bailiwick/client-secrets/1');
  return makeAuthentication({
    authorization,
    passwords,
    outbound: makeOutbound({ allow: config.outboundAllow }),
    sendsMail: config.mail !== undefined,
    origin: config.authentication.origin,
    directoryOrigin: config.directory.origin,
    keys: {
      hashClientSecret: (secret) => createHmac('sha256', secretKey).update(secret).digest(),
      subject: sealer.derive('bailiwick/pairwise-subjects/1'),
      forms: sealer.derive('bailiwick/forms/1'),
    },
    addressOf: makeAddressOf(config.trustedProxies),
    onRefusal: (refusal, context) => logs.security.warn({ ...refusal, ...context }, 'Refused.'),
    onError: (error, context) => logs.server.error({ ...errorFields(error), ...context }, 'A request failed.'),
  });
}

function directoryOf(config: Config, { sealer }: Database, { authorization }: Login, logs: Logs) {
  const findKey = async (tenantId: TenantId, kid: string) => {
    const keys = await authorization.performInternal(internalPrincipal('tokenService', tenantId), listKeys, undefined);
    return keys.find((key) => key.kid === kid);
  };
  return makeDirectoryApi({
    authorization,
    catalogue: CATALOGUE,
    verify: makeVerifyAccessToken(config.authentication.origin, findKey),
    skipTokens: new SkipTokens(sealer.derive('bailiwick/skip-tokens/1')),
    origin: config.directory.origin,
    allowedOrigins: new Set(config.directoryAllowedOrigins),
    addressOf: makeAddressOf(config.trustedProxies),
    onRefusal: ({ code, message, cause }, context) =>
      logs.security.warn(
        { errorCode: code, reason: typeof cause === 'string' ? cause : message, ...context },
        'Refused.',
      ),
    onError: (error) => logs.server.error(errorFields(error), 'A request failed.'),
  });
}

interface Login {
  readonly authorization: Authorization;
  readonly passwords: Passwords;
  close(): Promise<void>;
}

/**
 * @param proving the login that can prove a current password: the directory's own can read none. Without it (one side
 *   served alone) people change their passwords at the sign-in pages only.
 */
function openLogin(database: Database, login: Side | 'operator', logs: Logs, proving?: Login): Login {
  const { sealer } = database;
  const onError = (error: Error) => logs.server.warn({ login, ...errorFields(error) }, 'A database connection broke.');
  const store = new Store({ url: database.url(login), sealer, onError });
  const passwords = new Passwords({
    pepper: sealer.derive('bailiwick/passwords/1'),
    organizationWords: async (tenantId) => {
      const principal = internalPrincipal(login === 'operator' ? 'operator' : 'tokenService', tenantId);
      const tenant = await authorization.performInternal(principal, getTenant, undefined);
      return tenant ? [tenant.displayName, ...tenant.domains] : [];
    },
  });
  const authorization: Authorization = new Authorization(store, {
    hashNewPassword: (tenantId, password, words) => passwords.hashNewPassword(tenantId, password, words),
    checkPassword: async (tenantId, userId, password) => {
      if (!proving) throw badRequest('Passwords are changed on the account page of the sign-in server.');
      await checkCurrentPassword(proving, { tenantId, userId }, password);
    },
  });
  return { authorization, passwords, close: () => store.end() };
}

function startJanitor(authorization: Authorization, logs: Logs) {
  const onError = (error: unknown) => logs.server.warn(errorFields(error), 'Expired rows could not be deleted.');
  const janitor = new Janitor(authorization, onError);
  janitor.start();
  return { close: () => janitor.stop() };
}

function startCourier(config: Config, authorization: Authorization, logs: Logs) {
  const courier = new Courier({
    authorization,
    mailer: config.mail && new Mailer(config.mail),
    outbound: makeOutbound({ allow: config.outboundAllow, timeoutMs: WEBHOOK_MS }),
    origin: config.authentication.origin,
    log: logs.server,
    onError: (error) => logs.server.warn(errorFields(error), 'The outbox could not be emptied.'),
  });
  courier.start();
  return { close: () => courier.stop() };
}

async function openOperator(config: Config): Promise<Operator> {
  const database = await openDatabase(config);
  try {
    if (database.isEmbedded && !(await isMigrated(database)))
      await migrate(database, deploymentApplications(config.directory.origin));
    await requireSafe(database, ['operator']);
    const { authorization, close } = openLogin(database, 'operator', makeLogs('silent'));
    return {
      authorization,
      makeSigningKey,
      passwordProblem: (password, words) => {
        const [reason] = checkNewPassword(password, words);
        return reason && PASSWORD_REASONS[reason];
      },
      close: async () => {
        await close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Before the first migration there is not even the login. */
async function isMigrated(database: Database): Promise<boolean> {
  return databaseProblems(database.url('operator'), database.sealer, 'operator').then(
    (problems) => problems.length === 0,
    () => false,
  );
}

/** @throws Error with everything that makes the database unfit, for every login that will be used */
async function requireSafe(database: Database, logins: readonly (Side | 'operator')[]): Promise<void> {
  const problems = await Promise.all(
    logins.map((login) => databaseProblems(database.url(login), database.sealer, login)),
  );
  const all = [...new Set(problems.flat())];
  if (all.length > 0)
    throw new Error(`The database is not fit to be used:\n${all.map((line) => `  ${line}`).join('\n')}`);
}

async function isHealthy(authorization: Authorization): Promise<boolean> {
  return authorization.versionOf(NO_TENANT).then(
    () => true,
    () => false,
  );
}

/** A worker whose primary is gone ends too. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(signal, () => resolve());
  });
}
