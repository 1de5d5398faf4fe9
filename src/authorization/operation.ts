import type { z } from 'zod';
import type { Permit } from '../store/permit.ts';
import type { DirectoryAction, InternalAction } from '../vocabulary/actions.ts';
import type { ConsentReach } from '../vocabulary/directory-roles.ts';
import type { ObjectId, TenantId } from '../vocabulary/ids.ts';
import type { ObjectChange, ObjectType, Written } from '../vocabulary/objects.ts';
import type { ApplicationPermission, DelegatedPermission } from '../vocabulary/permissions.ts';

/** Who calls, as far as a query may know it. */
export interface Caller {
  readonly tenantId: TenantId;
  readonly userId?: ObjectId | undefined;
  readonly servicePrincipalId?: ObjectId | undefined;
  readonly appId?: string | undefined;
  readonly isGuest: boolean;
  readonly directoryRoles: readonly string[];
  /** The permissions of this operation that the caller holds now; empty for a session or an internal principal. */
  readonly grantedBy: readonly string[];
}

/** What `decide` must know of the object that is acted on. Everything here was read in the same transaction. */
export interface Target {
  /** The caller himself, or something of his own. */
  readonly isOwn?: boolean;
  /** For the rights of an application over its own applications alone: its service principal is an owner of this one. */
  readonly isOwned?: boolean;
  /** For acts by which an account could be taken over: the directory roles of the person acted on. */
  readonly heldRoles?: readonly string[];
  /** For consent and credentials: how far the caller's own right to consent must reach. */
  readonly reach?: Exclude<ConsentReach, 'none'>;
  /** From this an application could win more than it was given: no token of its own suffices, whatever it may do else. */
  readonly byPeopleAlone?: boolean;
  /** What this particular change needs besides the operation's own action: a person's roles must allow all of it. */
  readonly also?: readonly DirectoryAction[];
  /** For `prepare`: which password is the current one now, so that what was verified is what is replaced. */
  readonly passwordVersion?: string | undefined;
  /** For `prepare`: names of the person, which must not be in his password. */
  readonly userWords?: readonly string[];
}

export interface Permissions {
  /** Any one of these scopes suffices, where the person's own roles allow the action too. */
  readonly delegated: readonly DelegatedPermission[];
  /** Any one of these app roles suffices. */
  readonly application: readonly ApplicationPermission[];
  /** Scopes that suffice, besides `delegated`, for the caller's own object. */
  readonly own?: readonly DelegatedPermission[];
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** With `:name` for a path parameter; below `/v1.0`. */
  readonly path: string;
  readonly status: 200 | 201 | 204;
  /** What the body is; JSON unless said otherwise. */
  readonly body?: 'image';
  /** Of several operations on one method and path, this one is meant when the body has this property. */
  readonly whenBodyHas?: string;
}

/** Slow work of other rooms that operations may ask for; `main.ts` injects it. */
export interface Preparations {
  /** Checks a new password against the rules and returns its hash. Throws `Request_BadRequest` with the rule. */
  hashNewPassword(tenantId: TenantId, password: string, userWords: readonly string[]): Promise<string>;
  /** Throws `Request_BadRequest` when this is not the user's current password, `TooManyRequests` after many mistakes. */
  checkPassword(tenantId: TenantId, userId: ObjectId, password: string): Promise<void>;
}

/** For whom, and on what, slow work is done: both were read before it began. */
export interface Prepared {
  readonly caller: Caller;
  readonly target: Target;
}

interface Described<Action extends DirectoryAction, Schema extends z.ZodType> {
  /** Verb and object, as in the generated reference: `updateUser`. */
  readonly name: string;
  readonly summary: string;
  readonly action: Action;
  readonly route?: Route | undefined;
  readonly permissions: Permissions;
  /** Takes the object's version from `If-Match` as `version`. */
  readonly versioned?: boolean;
  /** Answers one page: `input` has the `query`, and the result is a `Page`. */
  readonly list?: boolean;
  /** Whether a person may do this at the sign-in server's own pages, without an application. */
  readonly onPages?: boolean;
  readonly input: Schema;
  /**
   * Slow work on the input (hashing a password) that must not hold a transaction open. It runs between two decisions:
   * nobody who would be refused can cause it.
   */
  prepare?(input: z.output<Schema>, tools: Preparations, known: Prepared): Promise<z.output<Schema>>;
  /** Facts about the object acted on. Throws `Request_ResourceNotFound` when it is not there. */
  target?(permit: Permit<Action>, input: z.output<Schema>, caller: Caller): Target | Promise<Target>;
}

export interface ReadOperation<Action extends DirectoryAction, Schema extends z.ZodType, Result>
  extends Described<Action, Schema> {
  readonly access: 'read';
  /** The query is one short statement and needs no fact about its target: it runs on a shared pipelined connection. */
  readonly short?: boolean;
  /** For reads of what is sensitive: each is recorded, like a write. */
  readonly audit?: AuditWords;
  run(permit: Permit<Action>, input: z.output<Schema>, caller: Caller): Promise<Result>;
}

export interface WriteOperation<Action extends DirectoryAction, Schema extends z.ZodType, Result>
  extends Described<Action, Schema> {
  readonly access: 'write';
  readonly audit: AuditWords;
  run(permit: Permit<Action>, input: z.output<Schema>, caller: Caller): Promise<Written<Result>>;
}

/** Graph's activity name and category, for the audit record. */
export interface AuditWords {
  readonly activity: string;
  readonly category: AuditCategory;
  readonly type: AuditType;
  readonly object: ObjectType;
}

export type AuditCategory =
  | 'UserManagement'
  | 'GroupManagement'
  | 'ApplicationManagement'
  | 'RoleManagement'
  | 'DirectoryManagement'
  | 'KeyManagement'
  | 'Policy';
export type AuditType = 'Add' | 'Update' | 'Delete' | 'Assign' | 'Unassign' | 'Read';

export type Operation<Action extends DirectoryAction, Schema extends z.ZodType, Result> =
  | ReadOperation<Action, Schema, Result>
  | WriteOperation<Action, Schema, Result>;

/** Any operation of the catalogue. Methods compare their parameters both ways, so each concrete operation fits. */
export type AnyOperation = Operation<DirectoryAction, z.ZodType, unknown>;

/** An act of the product itself (token service, operator, janitor): no principal's state. */
export interface InternalOperation<Action extends InternalAction, Input, Result> {
  readonly action: Action;
  readonly access: 'read' | 'write';
  /** One short statement, or a few that are queued at once: runs on a shared pipelined connection. */
  readonly short: boolean;
  /** A write by which something that is remembered of the tenant changes. */
  readonly raisesVersion?: boolean;
  /** For acts that the tenant's administrators must be able to see: what its audit record says. Nothing changed: no record. */
  readonly audit?: AuditWords;
  changes?(input: Input, result: Result, tenantId: TenantId): readonly ObjectChange[];
  /** What else the transaction is bound to. */
  binding?(input: Input): { readonly appId?: string | undefined; readonly domain?: string | undefined };
  run(permit: Permit<Action>, input: Input): Promise<Result>;
}

export function readOperation<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
  operation: Omit<ReadOperation<Action, Schema, Result>, 'access'>,
): ReadOperation<Action, Schema, Result> {
  return { access: 'read', ...operation };
}

export function writeOperation<Action extends DirectoryAction, Schema extends z.ZodType, Result>(
  operation: Omit<WriteOperation<Action, Schema, Result>, 'access'>,
): WriteOperation<Action, Schema, Result> {
  return { access: 'write', ...operation };
}

export function internalOperation<Action extends InternalAction, Input, Result>(
  operation: InternalOperation<Action, Input, Result>,
): InternalOperation<Action, Input, Result> {
  return operation;
}
