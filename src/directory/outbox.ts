import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { newObjectId } from '../vocabulary/ids.ts';

/** What each kind of notice says. Never a secret: it is sent, and it stays in the table. Names as they are written. */
export interface NoticeParameters {
  /** To a reviewer: somebody asks for an application. */
  readonly consentRequestCreated: RequestParameters & { readonly requester: string };
  /** One more person asks for the same; about his own request. */
  readonly consentRequestJoined: RequestParameters & { readonly requester: string };
  /** To who asked. Whether a reviewer wrote why is said; what he wrote is behind the sign-in. */
  readonly consentRequestDecided: RequestParameters & {
    readonly result: 'approved' | 'partlyApproved' | 'denied';
    readonly hasJustification: 'true' | 'false';
  };
  readonly consentRequestExpired: RequestParameters;
  /** To a reviewer. `expiresAt` is ISO 8601. */
  readonly consentRequestReminder: RequestParameters & { readonly expiresAt: string };
  /** To an owner. `name` is the credential's own, or its id. */
  readonly credentialExpiring: {
    readonly application: string;
    readonly appId: string;
    readonly credential: 'secret' | 'certificate';
    readonly name: string;
    readonly endsAt: string;
  };
}

interface RequestParameters {
  /** The application's name. */
  readonly application: string;
  readonly requestId: string;
}

export type NoticeKind = keyof NoticeParameters;

/** Something that is to be told outside. */
export type Notice = { readonly [Kind in NoticeKind]: NoticeOf<Kind> }[NoticeKind];

interface NoticeOf<Kind extends NoticeKind> {
  readonly kind: Kind;
  readonly channel: 'mail' | 'webhook';
  /** A person's id, whose address is looked up when the notice is sent; for webhooks the word `webhook`. */
  readonly recipient: string;
  /** What it is about: with kind, channel and recipient it says which notice this is. */
  readonly subjectId: string;
  readonly parameters: NoticeParameters[Kind];
}

/** The recipient of every webhook: where it goes is in the tenant's policy when it is sent. */
export const WEBHOOK = 'webhook';

/**
 * Puts notices into the tenant's outbox, in the transaction of the deed that they tell of: without the deed there is no
 * notice, and no deed without it. A notice that is there already, sent or not, is not put there twice.
 */
export async function enqueue(permit: Permit<Action>, notices: readonly Notice[]): Promise<void> {
  if (notices.length === 0) return;
  await permit.query({
    text: `insert into outbox_messages (tenant_id, id, kind, channel, recipient, subject_id, parameters)
      select $1, n.id, n.kind, n.channel, n.recipient, n.subject_id, n.parameters
      from jsonb_to_recordset($2) as n (id uuid, kind text, channel text, recipient text, subject_id text, parameters jsonb)
      on conflict do nothing`,
    values: [
      permit.tenantId,
      JSON.stringify(
        notices.map(({ kind, channel, recipient, subjectId, parameters }) => ({
          id: newObjectId(),
          kind,
          channel,
          recipient,
          subject_id: subjectId,
          parameters,
        })),
      ),
    ],
  });
}
