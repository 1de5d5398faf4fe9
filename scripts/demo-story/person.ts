import { headingOf } from './browser.ts';
import { application, organization, person } from './demo.ts';
import type { Stage } from './stage.ts';
import { toldTo, Visitor, wordsOf } from './visitor.ts';

const SCOPE = 'openid profile email offline_access User.Read';

/** An application that acts for a person: it may what she consented to, as long as that holds. */
export async function tellOfAlice(stage: Stage): Promise<void> {
  stage.title('Contoso HR, a web application that acts for Alice');
  const contoso = organization('Contoso');
  const [hr, alice] = [application(contoso, 'Contoso HR'), person(contoso, 'alice')];
  const visitor = new Visitor(stage, alice, { organization: contoso, application: hr, scope: SCOPE });

  const asked = await visitor.begin();
  stage.step('Alice signs in and is asked', 'a question', wordsOf(asked), headingOf(asked) === 'Allow access?');
  const declined = await visitor.press(asked, { decision: 'cancel' });
  const isDeclined = toldTo(declined).get('error') === 'access_denied';
  stage.step('She declines, and the application gets nothing', 'access_denied', wordsOf(declined), isDeclined);
  const accepted = await visitor.press(await visitor.begin(), { decision: 'accept' });
  stage.step('She accepts', 'a code', wordsOf(accepted), toldTo(accepted).has('code'));

  const tokens = await visitor.redeem(accepted);
  stage.answered('The code becomes tokens', tokens, 200, typeof tokens.body.access_token === 'string');
  await use(stage, tokens.body.access_token, alice.userPrincipalName);
  const fresh = await visitor.refresh(tokens.body.refresh_token);
  stage.answered('The tokens are refreshed', fresh, 200, typeof fresh.body.access_token === 'string');

  await stage.administer(
    'the administrator withdraws her consent',
    ...['consent', 'revoke', '--tenant', contoso.domains[0], '--client', hr.appId, '--scope', SCOPE],
    ...['--user', alice.userPrincipalName],
  );
  const stale = await visitor.refresh(fresh.body.refresh_token ?? tokens.body.refresh_token);
  stage.answered('There are no new tokens', stale, 400, stale.body.suberror === 'consent_required');
  const late = await stage.directory(fresh.body.access_token, 'GET', '/me');
  stage.answered('The access token is refused at once', late, 401);
  await leave(stage, visitor, tokens.body.id_token);
}

async function use(stage: Stage, token: string, name: string): Promise<void> {
  const me = await stage.directory(token, 'GET', '/me');
  stage.answered('Reading her own profile works', me, 200, me.body.userPrincipalName === name);
  const people = await stage.directory(token, 'GET', '/users');
  stage.answered('Listing people is refused, which she did not consent to', people, 403);
}

async function leave(stage: Stage, visitor: Visitor, idToken: string): Promise<void> {
  const signedOut = await visitor.signOut(idToken);
  const heading = headingOf(signedOut);
  stage.step('She signs out', 'signed out', wordsOf(signedOut), /signed out/i.test(heading));
  const silent = await visitor.begin({ prompt: 'none' });
  const isUnknown = toldTo(silent).get('error') === 'login_required';
  stage.step('Nobody is signed in any more', 'login_required', wordsOf(silent), isUnknown);
}
