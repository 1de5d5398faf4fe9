import type { ObjectId } from './ids.ts';

/** An application that may act for a person. */
export interface MyApplication {
  /** Its service principal. */
  readonly id: ObjectId;
  readonly appId: string;
  readonly displayName: string;
  /** When the first of its grants was made, and when a token last rested on one of them. */
  readonly since: Date;
  readonly lastUsed: Date | null;
  readonly permissions: readonly MyPermission[];
}

export interface MyPermission {
  /** Name of the API. */
  readonly resource: string;
  readonly value: string;
  /** In the words of the API. */
  readonly title: string;
  /** He consented himself; else his organization did, for everybody. */
  readonly isByYou: boolean;
}
