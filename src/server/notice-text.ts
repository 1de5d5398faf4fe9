import type { ClaimedMessage } from '../authorization/internal/outbox.ts';
import { displayName } from '../vocabulary/display-text.ts';

interface NoticeText {
  readonly subject: string;
  readonly text: string;
}

/**
 * What is written to a person. Subjects are ours to the last letter: whoever names an application writes none. Links lead
 * to the sign-in and nowhere else, and give nobody anything.
 * @param origin of the sign-in server
 */
export function noticeText(message: ClaimedMessage, origin: string, tenantId: string): NoticeText {
  const { subject, paragraphs, path, reason } = wordsOf(message);
  const link = path === undefined ? [] : [`Sign in to see it:\n${origin}/${tenantId}${path}`];
  const lines = [...paragraphs, ...link, `-- \n${reason}`];
  return { subject, text: `${lines.join('\n\n')}\n` };
}

interface Words {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** Below the tenant's own address. */
  readonly path?: string;
  readonly reason: string;
}

function wordsOf(message: ClaimedMessage): Words {
  const organization = named(message.organization);
  const reviewer = `You get this message because you review requests for applications at ${organization}.`;
  const requester = `You get this message because you asked for this application at ${organization}.`;
  switch (message.kind) {
    case 'consentRequestCreated':
    case 'consentRequestJoined': {
      const { application, requester: who, requestId } = message.parameters;
      return {
        subject: 'Somebody asks for an application',
        paragraphs: [`${named(who)} asks that you allow an application.`, selfNamed(application)],
        path: `/admin/requests/${requestId}`,
        reason: reviewer,
      };
    }
    case 'consentRequestReminder': {
      const { application, requestId, expiresAt } = message.parameters;
      return {
        subject: 'A request for an application is about to expire',
        paragraphs: [`Nobody has decided it, and it expires on ${dayOf(expiresAt)}.`, selfNamed(application)],
        path: `/admin/requests/${requestId}`,
        reason: reviewer,
      };
    }
    case 'consentRequestDecided': {
      const { application, result, hasJustification } = message.parameters;
      const why = hasJustification === 'true' ? ['The reviewer wrote down why.'] : [];
      return {
        subject: 'Your request for an application was decided',
        paragraphs: [RESULTS[result], selfNamed(application), ...why],
        path: '/my-applications',
        reason: requester,
      };
    }
    case 'consentRequestExpired':
      return {
        subject: 'Your request for an application has expired',
        paragraphs: ['Nobody decided it in time. You can ask again.', selfNamed(message.parameters.application)],
        path: '/my-applications',
        reason: requester,
      };
    case 'credentialExpiring': {
      const { application, appId, credential, name, endsAt } = message.parameters;
      return {
        subject: `A ${credential} of an application ends on ${dayOf(endsAt)}`,
        paragraphs: [
          `The ${credential} ${named(name)} ends on ${dayOf(endsAt)}. From then on the application can not sign in with it. Add another one, have the application use it, and remove this one.`,
          `${selfNamed(application)}\nIts id: ${appId}`,
        ],
        reason: `You get this message because you look after applications at ${organization}.`,
      };
    }
  }
}

const RESULTS = {
  approved: 'It was allowed. Open the application again to go on.',
  partlyApproved: 'A part of it was allowed. Open the application again to go on.',
  denied: 'It was not allowed.',
};

const selfNamed = (application: string) => `The application calls itself: ${named(application)}`;

/** What somebody chose as a name: one bounded line in quotes, in which no mail program finds a link. */
function named(text: string): string {
  const plain = displayName(text).replace(/["“”]/g, "'");
  return `"${plain.replace(/[.@:](?=\S)/g, (mark) => `${mark}\u200a`).replace(/\bwww\b/gi, 'w w w')}"`;
}

/** @param time ISO 8601 */
function dayOf(time: string): string {
  return new Date(time).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}
