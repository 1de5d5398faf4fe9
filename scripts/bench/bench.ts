// What Bailiwick costs beside the bare libraries, in interleaved rounds on one core of this machine.
// usage: npm run bench [-- --json FILE] [--rounds N] [--seconds N] [--tenants N]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Deployment, makeDeployment } from './deployment.ts';
import { formRequest, load, type Measured } from './load.ts';
import { leaveTheServersCore, pinned, type Server, startServer } from './processes.ts';

const FIRST_PORT = 8470;
const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '90' },
    seconds: { type: 'string', default: '0.4' },
    tenants: { type: 'string', default: '1000' },
  },
});
const [rounds, seconds, tenants] = [Number(values.rounds), Number(values.seconds), Number(values.tenants)];

/** One server under one kind of load; its rounds stand beside those of the others. */
interface Contender {
  readonly name: string;
  readonly port: number;
  readonly requests: readonly Buffer[];
  readonly server: Server;
  readonly measured: Measured[];
  /** Microseconds of the server's processor for one answer, a round each. */
  readonly cost: number[];
}

leaveTheServersCore();
const deployment = await makeDeployment(tenants, FIRST_PORT);
const servers: Server[] = [];
try {
  const tokens = await tokenContenders(deployment);
  const before = await deployment.countSignIns();
  await compete(tokens);
  await requireRecords(deployment, before, tokens);
  const reads = await directoryContenders(deployment);
  await compete(reads);
  report([...tokens, ...reads]);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await deployment.end();
}

async function tokenContenders({ ports, serve, tokenRequests }: Deployment): Promise<Contender[]> {
  const port = FIRST_PORT + 10;
  const bare = await started(startServer([join(import.meta.dirname, 'token-baseline.ts'), String(port)]));
  const ours = await started(serve('authentication'));
  const form: Record<string, string> = JSON.parse(bare.firstLine);
  return [
    contender('oidc-provider alone', port, [formRequest('/token', form)], bare),
    contender('Bailiwick, 1 tenant', ports.authentication, tokenRequests(1), ours),
    contender(`Bailiwick, ${tenants} tenants`, ports.authentication, tokenRequests(tenants), ours),
  ];
}

async function directoryContenders(deployment: Deployment): Promise<Contender[]> {
  const { ports, serve, userRequests, database, issuer, directoryAudience } = deployment;
  const port = FIRST_PORT + 11;
  const program = join(import.meta.dirname, 'directory-baseline.ts');
  const bare = await started(startServer([program, String(port), database, issuer, directoryAudience]));
  const ours = await started(serve('directory'));
  const requests = await userRequests();
  return [
    contender('koa + pg + JWT alone', port, requests, bare),
    contender('Bailiwick, GET /users/{id}', ports.directory, requests, ours),
  ];
}

function contender(name: string, port: number, requests: readonly Buffer[], server: Server): Contender {
  return { name, port, requests, server, measured: [], cost: [] };
}

async function started(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

/**
 * Rounds in turn, each time in another order, so that what else the machine does falls on all of them. Many and short:
 * the processor of a virtual machine is half as fast for seconds on end, and what is compared is to meet the same.
 */
async function compete(contenders: readonly Contender[]): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const first = round % contenders.length;
    const turned = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const { name, port, requests, measured, server, cost } of round % 2 ? turned.reverse() : turned) {
      const before = server.processorTime();
      const result = await load({ port, requests, seconds });
      cost.push((server.processorTime() - before) / result.acknowledged);
      if (Object.keys(result.refused).length > 0)
        throw new Error(`${name} answered other than 2xx: ${JSON.stringify(result.refused)}. The run is void.`);
      measured.push(result);
    }
  }
}

/** A token that left without its record on disk voids the run. */
async function requireRecords({ countSignIns }: Deployment, before: number, contenders: readonly Contender[]) {
  const acknowledged = contenders
    .filter(({ name }) => name.startsWith('Bailiwick'))
    .flatMap(({ measured }) => measured.map((result) => result.acknowledged))
    .reduce((sum, count) => sum + count, 0);
  const recorded = (await countSignIns()) - before;
  if (recorded < acknowledged) throw new Error(`${acknowledged} tokens, ${recorded} records. The run is void.`);
  console.log(`${acknowledged} tokens acknowledged, ${recorded} recorded.`);
}

function report(contenders: readonly Contender[]): void {
  const rows = contenders.map(({ name, measured, server, cost }) => ({
    name,
    perSecond: median(measured.map((result) => result.perSecond)),
    p50: median(measured.map((result) => result.p50)),
    p99: median(measured.map((result) => result.p99)),
    processor: Math.round(median(cost)),
    memory: server.memory(),
    errors: 0,
  }));
  console.log(
    pinned ? 'Servers on core 0; load and Postgres on core 1.' : 'NOT PINNED: taskset or a second core is missing.',
  );
  console.table(
    rows.map(({ perSecond, memory, processor, ...row }) => ({
      ...row,
      'req/s': perSecond,
      'CPU µs/req': processor,
      MiB: memory,
    })),
  );
  const [bare, one, many, bareRead, read] = contenders as [Contender, Contender, Contender, Contender, Contender]; // as made above
  const ratios = {
    clientCredentials: ratio(one, bare),
    clientCredentialsAt1000Tenants: ratio(many, one),
    directoryRead: ratio(read, bareRead),
  };
  console.log(ratios);
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ ratios, pinned, rounds, seconds, tenants, rows }, null, 2));
}

/** The median over the rounds of one against the other in the same round. */
function ratio(a: Contender, b: Contender): number {
  const ratios = a.measured.map(({ perSecond }, round) => perSecond / (b.measured[round]?.perSecond ?? Number.NaN));
  return Number(median(ratios).toFixed(3));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
