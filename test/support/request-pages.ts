import { formsOf, type Page } from '../../scripts/demo-story/browser.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

/** Lets people of the tenant ask, and names who decides. */
export async function takeRequests(
  database: TestDatabase,
  tenant: TestTenant,
  reviewers: readonly { readonly id: string }[],
): Promise<void> {
  const queries = reviewers.map(({ id }) => ({ query: `/users/${id}`, queryType: 'MicrosoftGraph' }));
  const settings = {
    ...{ isEnabled: true, notifyReviewers: true, remindersEnabled: true, requestDurationInDays: 30 },
    ...{ reviewers: queries, notificationWebhook: null },
  };
  await asSuperuser(
    database,
    `insert into tenant_policies (tenant_id, id, settings) values ($1, 'adminConsentRequestPolicy', $2)
      on conflict (tenant_id, id) do update set settings = excluded.settings`,
    [tenant.id, JSON.stringify(settings)],
  );
}

/** The form of a page whose action ends so. */
export const formTo = (page: Page, end: string) => formsOf(page).findIndex(({ action }) => action.endsWith(end));

/** The name of the box beside that scope. */
export function boxOf(page: Page, value: string): string {
  const choices = [
    ...page.text.matchAll(/<div class="choice"><input type="checkbox"[^>]* name="([^"]+)"(.*?)<\/div><\/div>/gs),
  ];
  const found = choices.find(([, , content = '']) => content.includes(`<code>${value}</code>`))?.[1];
  if (!found) throw new Error(`There is no box for ${value} on ${page.url}: ${page.text.slice(0, 3_000)}`);
  return found;
}
