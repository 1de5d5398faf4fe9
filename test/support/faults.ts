import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { putArtifactOnce } from '../../src/authorization/internal/artifacts.ts';
import { endFamilies, issueTokens } from '../../src/authorization/internal/tokens.ts';
import type { InternalOperation } from '../../src/authorization/operation.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import type { InternalAction } from '../../src/vocabulary/actions.ts';
import type { InternalPrincipal } from '../../src/vocabulary/principals.ts';
import { noPreparations, type TestDatabase } from './database.ts';
import { asSuperuser } from './tenants.ts';

/**
 * A build that is broken on purpose: a single-use artifact is handed out without being used up, and every assertion is
 * the first of its name. What the race tests assert must fail against it.
 */
export class UnconditionalAuthorization extends Authorization {
  override performInternal<Action extends InternalAction, Input, Result>(
    principal: InternalPrincipal,
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
  ): Promise<Result> {
    const isIssuance = Object.is(operation, issueTokens);
    const broken = isIssuance ? { ...input, consumed: undefined } : input;
    const result = super.performInternal(principal, operation, broken);
    // The broken build says "first" whatever the row says; only for putArtifactOnce, whose result is that.
    return Object.is(operation, putArtifactOnce) ? result.then(() => true as Result) : result;
  }
}

/** A build that is broken on purpose: it says that a family is over and leaves it alive. */
class ForgetfulAuthorization extends Authorization {
  override async performInternal<Action extends InternalAction, Input, Result>(
    principal: InternalPrincipal,
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
  ): Promise<Result> {
    const nobodys = Object.is(operation, endFamilies) ? { ...input, id: 'of nobody' } : input;
    return super.performInternal(principal, operation, nobodys);
  }
}

export function forgetful(database: TestDatabase): Authorization {
  return new ForgetfulAuthorization(database.openStore('authentication'), noPreparations);
}

export function unconditional(database: TestDatabase): Authorization {
  return new UnconditionalAuthorization(database.openStore('authentication'), noPreparations);
}

/** A build that stops before one operation until it is told to go on: whatever happens meanwhile happens in between. */
class HoldingAuthorization extends Authorization {
  readonly #operation: object;
  readonly #reached: () => void;
  readonly #go: Promise<void>;

  constructor(database: TestDatabase, operation: object, reached: () => void, go: Promise<void>) {
    super(database.openStore('authentication'), noPreparations);
    this.#operation = operation;
    this.#reached = reached;
    this.#go = go;
  }

  override async performInternal<Action extends InternalAction, Input, Result>(
    principal: InternalPrincipal,
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
  ): Promise<Result> {
    if (Object.is(operation, this.#operation)) {
      this.#reached();
      await this.#go;
    }
    return super.performInternal(principal, operation, input);
  }
}

export interface Held {
  readonly authorization: Authorization;
  /** Resolves when the operation is about to be performed. */
  readonly reached: Promise<void>;
  release(): void;
}

export function holding(database: TestDatabase, operation: object): Held {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const authorization = new HoldingAuthorization(database, operation, reached.resolve, go.promise);
  return { authorization, reached: reached.promise, release: go.resolve };
}

/** Makes Postgres itself fail one kind of write, as a full disk would unless another state is given; resolves to the repair. */
export async function failingWrite(
  database: TestDatabase,
  table: string,
  event: 'insert' | 'update',
  sqlState = '53100',
): Promise<() => Promise<void>> {
  const name = `fault_${table}_${event}`;
  await asSuperuser(
    database,
    `create function ${name}() returns trigger language plpgsql as $$ begin
       raise exception 'no space left on device' using errcode = '${sqlState}'; end $$;
     create trigger ${name} before ${event} on ${table} for each row execute function ${name}();`,
  );
  return async () => {
    await asSuperuser(database, `drop trigger ${name} on ${table}; drop function ${name}();`);
  };
}

export interface Line {
  /** The database's URL by way of this line. */
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** A TCP line to the database's socket that can be cut. */
export async function aLine(databaseUrl: string): Promise<Line> {
  // A socket's URL names no host, which only Postgres takes for a URL.
  const target = new URL(databaseUrl.replace('@/', '@localhost/'));
  const path = `${target.searchParams.get('host')}/.s.PGSQL.${target.port || target.searchParams.get('port') || 5432}`;
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    if (isCut) return socket.destroy();
    const upstream = connect(path);
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => each.destroy());
      each.on('close', () => sockets.delete(each));
    }
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    return socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const url = `postgres://${target.username}:${target.password}@127.0.0.1:${port}${target.pathname}`;
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url,
    cut: () => {
      isCut = true;
      destroyAll();
    },
    mend: () => {
      isCut = false;
    },
    close: () => {
      destroyAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
