import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { getTenant, NO_TENANT, resolveDomain } from '../authorization/internal/tenants.ts';
import type { InternalOperation, ReadOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { DirectoryAction, InternalAction } from '../vocabulary/actions.ts';
import { parseTenantId, type TenantId } from '../vocabulary/ids.ts';
import type { Cursor } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { type InternalPrincipal, internalPrincipal, type RequestContext } from '../vocabulary/principals.ts';
import { CommandError } from './rooms.ts';

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

/**
 * The tenant of an id or a verified domain.
 * @throws CommandError
 */
export async function openTenancy(authorization: Authorization, name: string): Promise<Tenancy> {
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
