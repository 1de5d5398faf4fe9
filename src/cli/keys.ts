import { type Command, Option } from 'commander';
import { listKeys, rotateKeys, type SigningAlgorithm } from '../authorization/internal/signing-keys.ts';
import { print, table } from './output.ts';
import { CommandError, type Operator, type Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION, type Tenancy } from './tenancy.ts';

/** APIs keep a tenant's key set for a day at most; a key that is younger may be unknown to some of them. */
const PUBLISHED_SECONDS = 24 * 3_600;
/** No token lives as long; hints at sign-out may be old. */
const KEPT_SECONDS = 30 * 24 * 3_600;
const ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'RS256'];

interface Options {
  readonly tenant: string;
  readonly algorithm?: SigningAlgorithm;
  readonly now: boolean;
  readonly json: boolean;
}

export function addKeys(program: Command, rooms: Rooms): void {
  const keys = program.command('keys').description("See and rotate a tenant's signing keys.");
  keys
    .command('list')
    .description('Show the published keys: next, current and retiring.')
    .requiredOption(...TENANT_OPTION)
    .option('--json', 'print as JSON', false)
    .action((options: Options) => inTenant(rooms, options.tenant, (tenancy) => list(rooms, tenancy, options)));
  keys
    .command('rotate')
    .description('Sign with the next key from now on, and publish a new next one.')
    .requiredOption(...TENANT_OPTION)
    .addOption(new Option('--algorithm <name>', 'only the keys of this algorithm').choices(ALGORITHMS))
    .option('--now', 'also when the next key was published less than a day ago', false)
    .option('--json', 'print the outcome as JSON', false)
    .addHelpText(
      'after',
      `
The next key has been in the tenant's key set (…/discovery/v2.0/keys) since the rotation before, so every API that
reads the set once a day knows it before it signs. That is why rotate refuses within a day of the last one; --now is for
a key that may be in wrong hands. What the retiring key signed is accepted for 30 days or until it expires.`,
    )
    .action((options: Options) =>
      inTenant(rooms, options.tenant, (tenancy, operator) => rotate(rooms, tenancy, operator, options)),
    );
}

async function list(rooms: Rooms, tenancy: Tenancy, { json }: Options): Promise<void> {
  const keys = await tenancy.performInternal(listKeys, undefined);
  print(rooms, { keys }, json, () =>
    table(
      ['ALGORITHM', 'SLOT', 'KID'],
      keys.map(({ algorithm, slot, kid }) => [algorithm, slot, kid]),
    ),
  );
}

async function rotate(
  rooms: Rooms,
  tenancy: Tenancy,
  operator: Operator,
  { algorithm, now, json }: Options,
): Promise<void> {
  const published = await tenancy.performInternal(listKeys, undefined);
  const algorithms = algorithm
    ? [algorithm]
    : ALGORITHMS.filter((name) => published.some((key) => key.algorithm === name));
  const outcomes: { algorithm: string; retiring: string; current: string; next: string }[] = [];
  for (const name of algorithms) {
    const next = await operator.makeSigningKey(name, 'next');
    const publishedSeconds = now ? 0 : PUBLISHED_SECONDS;
    const { outcome, current, retiring } = await tenancy.performInternal(rotateKeys, {
      next,
      publishedSeconds,
      keptSeconds: KEPT_SECONDS,
    });
    if (outcome === 'noKeys') throw new CommandError(`The organization has no ${name} keys to rotate.`);
    if (outcome === 'tooEarly')
      throw new CommandError(
        `The next ${name} key is younger than a day; some APIs may not know it yet. See --help for --now.`,
      );
    outcomes.push({ algorithm: name, retiring: retiring ?? '', current: current ?? '', next: next.kid });
  }
  print(rooms, { rotated: outcomes }, json, () =>
    outcomes
      .map((keys) => `${keys.algorithm}: ${keys.current} signs now, ${keys.next} is next, ${keys.retiring} retires`)
      .join('\n'),
  );
}
