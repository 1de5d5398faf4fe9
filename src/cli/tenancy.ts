import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { getTenant, NO_TENANT, resolveDomain } from '../authorization/internal/tenants.ts';
import type { InternalOperation, ReadOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { DirectoryAction, InternalAction } from '../vocabulary/actions.ts';
import { parseTenantId, type TenantId } from '../vocabulary/ids.ts';
import type { Cursor } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { type InternalPrincipal, internalPrincipal } from '../vocabulary/principals.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { CommandError, type Operator, type Rooms } from './rooms.ts';

const PAGE = 999;

/** The operator at work in one tenant, in one command: every act of it carries the same correlation id. */
export class Tenancy {
  readonly tenantId: TenantId;
  readonly principal: InternalPrincipal;
  readonly context: RequestContext;
  readonly #authorization: Authorization;

  constructor(authorization: Authorization, tenantId: TenantId, context: RequestContext) {
    this.#authorization = authorization;
    this.tenantId = tenantId;
    this.principal = internalPrincipal('operator', tenantId);
    this.context = context;
  }

  perform<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    operation: Parameters<typeof Authorization.prototype.perform<Action, Schema, Result>>[1],
    input: z.input<Schema>,
  ): Promise<Result> {
    return this.#authorization.perform(this.principal, operation, input, this.context);
  }

  performInternal<Action extends InternalAction, Input, Result>(
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
  ): Promise<Result> {
    return this.#authorization.performInternal(this.principal, operation, input, this.context);
  }

  /** All rows of a list, page by page. */
  async list<Action extends DirectoryAction, Schema extends z.ZodType, Row>(
    operation: ReadOperation<Action, Schema, Page<Row>>,
    input: object = {},
  ): Promise<Row[]> {
    const rows: Row[] = [];
    let after: Cursor | undefined;
    do {
      const query = { top: PAGE, ...(after ? { after } : {}) };
      const page: Page<Row> = await this.#authorization.perform(
        this.principal,
        operation,
        { ...input, query },
        this.context,
      );
      rows.push(...page.value);
      after = page.next?.map(String);
    } while (after);
    return rows;
  }
}

/** The option by which commands name their tenant. */
export const TENANT_OPTION = ['--tenant <tenant>', "the tenant's id or one of its domains"] as const;

/** Opens the deployment as its operator for a piece of work. */
export async function asOperator(rooms: Rooms, work: (operator: Operator) => Promise<void>): Promise<void> {
  const operator = await rooms.openOperator();
  try {
    await work(operator);
  } finally {
    await operator.close();
  }
}

/** The same in one tenant. @throws CommandError when there is no such tenant */
export function inTenant(
  rooms: Rooms,
  name: string,
  work: (tenancy: Tenancy, operator: Operator) => Promise<void>,
): Promise<void> {
  return asOperator(rooms, async (operator) => work(await openTenancy(operator.authorization, name), operator));
}

/**
 * The tenant of an id or a verified domain.
 * @throws CommandError
 */
async function openTenancy(authorization: Authorization, name: string): Promise<Tenancy> {
  const id =
    parseTenantId(name) ??
    (await authorization.performInternal(
      internalPrincipal('operator', NO_TENANT),
      resolveDomain,
      name.toLowerCase().slice(0, 253),
    ));
  const tenant = id && (await authorization.performInternal(internalPrincipal('operator', id), getTenant, undefined));
  if (!tenant) throw new CommandError(`There is no organization ${name}.`);
  return new Tenancy(authorization, tenant.id, { correlationId: randomUUID() });
}
