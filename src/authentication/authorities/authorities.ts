import { writePublicJson } from '../routes/metadata.ts';
import type { AuthorityCall, AuthorityRoutes, Directed } from './authority.ts';
import type { DirectedRequests } from './directed-requests.ts';
import type { HomeRealm } from './home-realm.ts';
import { answerInstanceDiscovery, authorityDocument } from './metadata.ts';

export interface AuthoritiesParts {
  readonly origin: string;
  readonly directoryOrigin: string;
  readonly homeRealm: HomeRealm;
  readonly directed: DirectedRequests;
}

type Answer = (parts: AuthoritiesParts, call: AuthorityCall) => Promise<void> | void;
type Direct = (parts: AuthoritiesParts, call: AuthorityCall) => Promise<Directed | undefined>;

const ENDPOINT = '/oauth2/v2.0';
const authorize: Answer = ({ homeRealm }, call) => homeRealm.authorize(call);
const adminConsent: Answer = ({ homeRealm }, call) => homeRealm.adminConsent(call);
const logout: Answer = ({ homeRealm }, call) => homeRealm.logout(call);
const byToken: Direct = ({ directed }, call) => directed.byToken(call);
const byBearer: Direct = ({ directed }, call) => directed.byBearer(call);

const ANSWERED: ReadonlyMap<string, Answer> = new Map([
  ['GET /v2.0/.well-known/openid-configuration', writeMetadata],
  ['GET /discovery/instance', ({ origin }, call) => answerInstanceDiscovery(origin, call)],
  ['GET /discovery/v2.0/keys', (_parts, call) => call.refuse(400, 'tenantTemplate')],
  [`GET ${ENDPOINT}/authorize`, authorize],
  [`POST ${ENDPOINT}/authorize`, authorize],
  ['GET /v2.0/adminconsent', adminConsent],
  ['POST /v2.0/adminconsent', adminConsent],
  [`GET ${ENDPOINT}/logout`, logout],
  [`POST ${ENDPOINT}/logout`, logout],
  // Whoever answered it would be of whatever organization an attacker gets to read a code out to (RFC 8628, section 5.4).
  [`POST ${ENDPOINT}/devicecode`, (_parts, call) => call.refuse(400, 'tenantNotNamed')],
]);

const DIRECTED: ReadonlyMap<string, Direct> = new Map([
  [`POST ${ENDPOINT}/token`, ({ directed }, call) => directed.byGrant(call)],
  [`POST ${ENDPOINT}/introspect`, byToken],
  [`POST ${ENDPOINT}/revoke`, byToken],
  ['GET /oidc/userinfo', byBearer],
  ['POST /oidc/userinfo', byBearer],
]);

/** `/common` and `/organizations`: what they answer themselves, and which tenant goes on with the rest. */
export class Authorities implements AuthorityRoutes {
  readonly #parts: AuthoritiesParts;

  constructor(parts: AuthoritiesParts) {
    this.#parts = parts;
  }

  async serve(call: AuthorityCall): Promise<Directed | undefined> {
    const { method } = call.request;
    const name = `${method === 'HEAD' ? 'GET' : method} ${call.path}`;
    const direct = DIRECTED.get(name);
    if (direct) return direct(this.#parts, call);
    const answer = ANSWERED.get(name);
    if (!answer) call.refuse(400, 'tenantReserved');
    await answer?.(this.#parts, call);
    return undefined;
  }
}

function writeMetadata({ origin, directoryOrigin }: AuthoritiesParts, { response, authority }: AuthorityCall): void {
  writePublicJson(response, authorityDocument(origin, directoryOrigin, authority));
}
