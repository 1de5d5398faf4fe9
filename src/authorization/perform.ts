import type { z } from 'zod';
import { type AuditEntry, insertAudit } from '../directory/audits.ts';
import { type LiveState, readLiveState } from '../directory/live-state.ts';
import type { AssumedVersion, SignInEntry } from '../directory/sign-ins.ts';
import { raiseTenantVersion } from '../directory/versions.ts';
import type { Permit } from '../store/permit.ts';
import { isRetryable } from '../store/sql-errors.ts';
import type { Store } from '../store/store.ts';
import type { Action, DirectoryAction, InternalAction } from '../vocabulary/actions.ts';
import { DirectoryError } from '../vocabulary/errors.ts';
import type { AppId, TenantId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { type InternalPrincipal, internalPrincipal, type Principal } from '../vocabulary/principals.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { failureEntry, successEntry } from './audit-entry.ts';
import { type Decision, decide, REFUSALS } from './decide.ts';
import { INTERNAL_PRINCIPALS } from './internal-principals.ts';
import { LiveStates } from './live-states.ts';
import type {
  AnyOperation,
  Caller,
  InternalOperation,
  Operation,
  Preparations,
  ReadOperation,
  Target,
} from './operation.ts';
import { SignInRecords } from './sign-in-records.ts';
import { Versions } from './versions.ts';

/** A mistake is named by the caller's own words, which may be long. */
const MAX_MESSAGE = 300;

/** The only door to the data, for one database login. */
export class Authorization {
  readonly #store: Store;
  readonly #preparations: Preparations;
  readonly #versions: Versions;
  readonly #signInRecords: SignInRecords;
  readonly #liveStates: LiveStates;

  constructor(store: Store, preparations: Preparations) {
    this.#store = store;
    this.#versions = new Versions(store);
    this.#signInRecords = new SignInRecords(store);
    this.#liveStates = new LiveStates(store, this.#versions);
    this.#preparations = preparations;
  }

  /**
   * Performs one operation of the catalogue for a principal: live state, decision, query and audit record in one
   * transaction. A refusal rolls the work back and is recorded in the principal's own tenant.
   * @throws DirectoryError
   */
  async perform<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    principal: Principal,
    operation: Operation<Action, Schema, Result>,
    input: unknown,
    context: RequestContext,
  ): Promise<Result> {
    const { action, access } = operation;
    const { tenantId } = principal;
    try {
      if (operation.access === 'read' && operation.short && principal.kind !== 'internal') {
        return await this.#readShort(principal, operation, input);
      }
      const prepared = operation.prepare ? await this.#prepare(principal, operation, input) : undefined;
      const needed = operation.audit ? 'write' : access;
      return await this.#store.transaction({ action, tenantId, access: needed }, (permit) =>
        this.#decideAndRun(permit, principal, operation, prepared ?? (() => parseInput(operation, input)), context),
      );
    } catch (error) {
      await this.recordRefusal(principal, operation, input, context, error);
      throw error;
    }
  }

  /**
   * Records in the principal's own tenant that a call was refused or failed: also one that never came as far as
   * `perform`, because its body could not be read.
   */
  async recordRefusal(
    principal: Principal,
    operation: AnyOperation,
    input: unknown,
    context: RequestContext,
    error: unknown,
  ): Promise<void> {
    if (!isRecorded(error, operation)) return;
    const reason = typeof error.cause === 'string' ? error.cause : error.message;
    const entry = failureEntry(operation, principal, context, reason, idOf(input));
    const action = 'authorization/refusals/create' as const;
    requireListed(internalPrincipal('refusalRecorder', principal.tenantId), action);
    await this.#store.shortTransaction({ action, tenantId: principal.tenantId, access: 'write' }, (permit) =>
      audit(permit, entry),
    );
  }

  /** Performs an act of the product itself, which must be on that principal's list. */
  async performInternal<Action extends InternalAction, Input, Result>(
    principal: InternalPrincipal,
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
    context: RequestContext = { correlationId: crypto.randomUUID() },
  ): Promise<Result> {
    const { action, access, short } = operation;
    requireListed(principal, action);
    const binding = { action, tenantId: principal.tenantId, access, ...operation.binding?.(input) };
    const run = (permit: Permit<Action>) => operation.run(permit, input);
    if (short) return this.#store.shortTransaction(binding, run);
    return this.#store.transaction(binding, async (permit) => {
      const result = await run(permit);
      const changes = operation.changes?.(input, result, principal.tenantId) ?? [];
      if (operation.audit && changes.length > 0)
        await audit(permit, successEntry(operation.audit, principal, context, changes));
      if (operation.raisesVersion) await raiseTenantVersion(permit);
      return result;
    });
  }

  /**
   * Records a sign-in or an issuance of the principal's tenant; resolves when the record is committed. With an assumed
   * version only if that is still the one of this moment: false says that it is not, and that there is no record.
   */
  recordSignIn(principal: InternalPrincipal, entry: SignInEntry, assumed?: AssumedVersion): Promise<boolean> {
    requireListed(principal, 'authentication/signIns/create');
    return this.#signInRecords.add(principal.tenantId, entry, assumed);
  }

  /**
   * The version of what may be remembered of a tenant (and of an application in it), read after this call began.
   * Undefined: there is no such tenant.
   */
  versionOf(tenantId: TenantId, appId?: AppId): Promise<string | undefined> {
    return this.#versions.read({ tenantId, appId });
  }

  /** A read of one short statement: the decision from what is remembered under the version of this moment. */
  async #readShort<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    principal: Exclude<Principal, InternalPrincipal>,
    operation: ReadOperation<Action, Schema, Result>,
    input: unknown,
  ): Promise<Result> {
    const state = await this.#liveStates.read(principal, operation.action);
    const { caller, decideOn } = judge(principal, operation, state);
    decideOn(undefined);
    const parsed = parseInput(operation, input);
    const { action } = operation;
    const { tenantId } = principal;
    return this.#store.shortTransaction({ action, tenantId, access: 'read' }, (permit) => {
      const target = operation.target?.(permit, parsed, caller) ?? {};
      if (target instanceof Promise) throw new Error(`${operation.name} is not short: its target is read.`);
      return operation.run(permit, parsed, { ...caller, grantedBy: decideOn(target) });
    });
  }

  async #decideAndRun<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    permit: Permit<Action>,
    principal: Principal,
    operation: Operation<Action, Schema, Result>,
    parse: () => z.output<Schema>,
    context: RequestContext,
  ): Promise<Result> {
    const { caller, decideOn } = await judgeLive(permit, principal, operation);
    decideOn(undefined);
    const parsed = parse();
    // An internal principal has no roles to weigh against the object, but the object must be there all the same.
    const grantedBy = decideOn((await operation.target?.(permit, parsed, caller)) ?? {});
    const run = { ...caller, grantedBy };
    if (operation.access === 'read') {
      const result = await operation.run(permit, parsed, run);
      if (operation.audit) await audit(permit, successEntry(operation.audit, principal, context, []));
      return result;
    }
    const { value, changes }: Written<Result> = await operation.run(permit, parsed, run);
    await audit(permit, successEntry(operation.audit, principal, context, changes));
    await raiseTenantVersion(permit);
    return value;
  }

  /** Decides once with a transaction of its own, closes it, and does the slow work. */
  async #prepare<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
    principal: Principal,
    operation: Operation<Action, Schema, Result>,
    input: unknown,
  ): Promise<() => z.output<Schema>> {
    const { action } = operation;
    const { tenantId } = principal;
    const { parsed, known } = await this.#store.transaction({ action, tenantId, access: 'read' }, async (permit) => {
      const { caller, decideOn } = await judgeLive(permit, principal, operation);
      decideOn(undefined);
      const checked = parseInput(operation, input);
      const target = (await operation.target?.(permit, checked, caller)) ?? {};
      return { parsed: checked, known: { caller: { ...caller, grantedBy: decideOn(target) }, target } };
    });
    const prepared = await operation.prepare?.(parsed, this.#preparations, known);
    return () => prepared ?? parsed;
  }
}

/** What can not be recorded is not done, and not refused either: the caller is told to come back. */
async function audit(permit: Permit<Action>, entry: AuditEntry): Promise<void> {
  try {
    await insertAudit(permit, entry);
  } catch (error) {
    throw isRetryable(error) ? error : new DirectoryError('ServiceUnavailable', undefined, { cause: error });
  }
}

/** Reads the principal's live state in this transaction and returns the decision as a function of the object acted on. */
async function judgeLive(permit: Permit<DirectoryAction>, principal: Principal, operation: AnyOperation) {
  if (principal.kind !== 'internal')
    return judge(principal, operation, await readLiveState(permit, principal, DIRECTORY_APP_ID));
  requireListed(principal, operation.action);
  return { caller: callerOf(principal), decideOn: (): readonly string[] => [] };
}

function judge(
  principal: Exclude<Principal, InternalPrincipal>,
  operation: AnyOperation,
  state: LiveState | undefined,
) {
  const { action, permissions, onPages = false } = operation;
  const ceiling = principal.kind === 'delegated' ? principal.scopes : [];
  const decideOn = (target: Target | undefined) =>
    allowedBy(decide({ kind: principal.kind, state, ceiling, action, permissions, onPages, target }));
  return { caller: callerOf(principal, state), decideOn };
}

function allowedBy(decision: Decision): readonly string[] {
  if (decision.allowed) return decision.grantedBy;
  const [code, reason] = REFUSALS[decision.refusal];
  const details = decision.scopes ? { cause: reason, scopes: decision.scopes } : { cause: reason };
  throw new DirectoryError(code, undefined, details);
}

function callerOf(principal: Principal, state?: { isGuest: boolean; directoryRoles: readonly string[] }): Caller {
  return {
    tenantId: principal.tenantId,
    userId: 'userId' in principal ? principal.userId : undefined,
    servicePrincipalId: 'servicePrincipalId' in principal ? principal.servicePrincipalId : undefined,
    appId: 'appId' in principal ? principal.appId : undefined,
    isGuest: state?.isGuest ?? false,
    directoryRoles: state?.directoryRoles ?? [],
    grantedBy: [],
  };
}

function parseInput<Schema extends z.ZodType>(operation: { readonly input: Schema }, input: unknown): z.output<Schema> {
  const parsed = operation.input.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  const message = `${where}${issue?.message ?? 'The request is malformed.'}`;
  throw new DirectoryError('Request_BadRequest', message.slice(0, MAX_MESSAGE));
}

/** Refusals always; other failures of a write as well. Our own faults and an absent database go to the log instead. */
function isRecorded(error: unknown, { access }: AnyOperation): error is DirectoryError {
  if (!(error instanceof DirectoryError) || error.status >= 500) return false;
  return access === 'write' || error.status === 401 || error.status === 403 || error.status === 404;
}

function idOf(input: unknown): string | undefined {
  const id = typeof input === 'object' && input !== null && 'id' in input ? input.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

function requireListed(principal: InternalPrincipal, action: DirectoryAction | InternalAction): void {
  if (!INTERNAL_PRINCIPALS[principal.name].includes(action)) {
    throw new Error(`The internal principal ${principal.name} may not do ${action}.`);
  }
}
