import { headingOf } from './browser.ts';
import { application, organization, person } from './demo.ts';
import type { Stage } from './stage.ts';
import { toldTo, Visitor, wordsOf } from './visitor.ts';

const SCOPE = 'openid profile offline_access User.Read User.Read.All';

/** An application of another organization: unknown until an administrator consents, and gone when it is removed. */
export async function tellOfTheGuestApplication(stage: Stage): Promise<void> {
  stage.title('Fabrikam Analytics, an application of another organization, at Contoso');
  const [contoso, analytics] = [organization('Contoso'), application(organization('Fabrikam'), 'Fabrikam Analytics')];
  const errand = { organization: contoso, application: analytics, scope: SCOPE };
  const alice = new Visitor(stage, person(contoso, 'alice'), errand);
  const ada = new Visitor(stage, person(contoso, 'ada'), errand);

  const referred = await alice.begin();
  const isReferred = headingOf(referred) === 'An administrator has to approve this';
  stage.step('Alice needs approval', 'that an administrator has to approve', wordsOf(referred), isReferred);
  const turned = await alice.press(referred, { decision: 'cancel' });
  const isDenied = toldTo(turned).get('error') === 'access_denied';
  stage.step('The application gets nothing', 'access_denied', wordsOf(turned), isDenied);

  const consented = await ada.press(await ada.begin(), { decision: 'accept', forOrganization: 'true' });
  const isConsented = toldTo(consented).has('code');
  stage.step('Ada, an administrator, consents for the organization', 'a code', wordsOf(consented), isConsented);
  const admitted = await alice.begin();
  stage.step('Alice gets in without being asked', 'a code', wordsOf(admitted), toldTo(admitted).has('code'));
  const tokens = await alice.redeem(admitted);
  stage.answered('The code becomes tokens', tokens, 200, typeof tokens.body.access_token === 'string');
  const people = await stage.directory(tokens.body.access_token, 'GET', '/users');
  const isComplete = people.body.value?.length === contoso.users.length;
  stage.answered('Listing people works, as Ada consented', people, 200, isComplete);

  await stage.administer(
    'the administrator removes the application',
    ...['consent', 'remove', '--tenant', contoso.domains[0], '--client', analytics.appId],
  );
  const late = await stage.directory(tokens.body.access_token, 'GET', '/me');
  stage.answered('Its access token is refused at once', late, 401);
  const stale = await alice.refresh(tokens.body.refresh_token);
  stage.answered('There are no new tokens', stale, 400, stale.body.error === 'invalid_grant');
}
