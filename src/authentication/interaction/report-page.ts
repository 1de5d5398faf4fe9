import { getConsentUsage } from '../../authorization/catalogue/consent-usage.ts';
import { reportPage } from '../pages/report.ts';
import { adminVisit } from './admin-frames.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { type PageCall, principalOf } from './visit.ts';

const MOST = 999;

/** Access about which something should be done. */
export async function showReport(pages: SignedInPages, call: PageCall): Promise<void> {
  const visit = await adminVisit(pages, call, 'report');
  if (!visit) return;
  const { authorization, writer } = pages.parts;
  const input = { query: { top: MOST } };
  const { value } = await authorization.perform(principalOf(call), getConsentUsage, input, call.tenancy.context);
  const entries = value
    .filter(({ findings }) => findings.length > 0)
    .map(({ type, clientId, clientDisplayName, resourceDisplayName, principalId, ...usage }) => ({
      ...{ application: clientDisplayName, resource: resourceDisplayName, findings: usage.findings },
      ...{ permissions: usage.permissions, since: usage.createdDateTime, lastUsed: usage.lastUsedDateTime },
      href: `${visit.frame.base}/applications/${clientId}`,
      forWhom: type === 'application' ? 'Without a signed-in user' : principalId ? 'For one person' : 'For everybody',
    }));
  writer.send(call.response, reportPage({ frame: visit.frame, entries }));
}
