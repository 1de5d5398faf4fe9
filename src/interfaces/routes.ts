import findMyWay from 'find-my-way';
import type { AnyOperation } from '../authorization/operation.ts';
import { DirectoryError } from '../vocabulary/errors.ts';

export type RouteParameters = Readonly<Record<string, string | undefined>>;

/** What a method and path mean: one operation, or several that the body tells apart. */
export interface FoundRoute {
  readonly operations: readonly AnyOperation[];
  readonly parameters: RouteParameters;
}

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] as const;
type Method = (typeof METHODS)[number];

/** The routes of the catalogue. No route has a tenant segment: the token alone decides (TEN-02). */
export class Routes {
  readonly #router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 200 });

  constructor(catalogue: readonly AnyOperation[]) {
    const byRoute = Map.groupBy(catalogue, ({ route }) => route && `${route.method} ${route.path}`);
    for (const operations of byRoute.values()) {
      const route = operations[0]?.route;
      if (route) this.#router.on(route.method, `/v1.0${route.path}`, () => {}, ordered(operations));
    }
  }

  /**
   * The request line alone decides: headers that would override the method are not looked at (CON-21).
   * @throws DirectoryError 404, and 405 with the allowed methods for `setAllow`
   */
  find(method: string, path: string, setAllow: (methods: string) => void): FoundRoute {
    const found = this.#lookUp(method === 'HEAD' ? 'GET' : method, path);
    if (found) return found;
    const allowed = this.allowed(path);
    if (allowed.length === 0) throw new DirectoryError('Request_ResourceNotFound');
    setAllow(allowed.join(', '));
    throw new DirectoryError('Request_MethodNotAllowed');
  }

  /** The methods of a path; none when it is no route. */
  allowed(path: string): readonly string[] {
    const known = METHODS.filter((method) => this.#lookUp(method, path));
    return known.includes('GET') ? ['HEAD', ...known] : known;
  }

  #lookUp(method: string, path: string): FoundRoute | undefined {
    const found = isMethod(method) ? this.#router.find(method, path) : null;
    return found ? { operations: found.store as AnyOperation[], parameters: found.params } : undefined; // stored above
  }
}

/** The operation that the body means. */
export function meantBy(operations: readonly AnyOperation[], body: unknown): AnyOperation {
  const isMeant = ({ route }: AnyOperation) =>
    route?.whenBodyHas === undefined ||
    (typeof body === 'object' && body !== null && Object.hasOwn(body, route.whenBodyHas));
  const operation = operations.find(isMeant);
  if (!operation) throw new DirectoryError('Request_BadRequest');
  return operation;
}

/** Those with a condition before the one without. */
function ordered(operations: readonly AnyOperation[]): AnyOperation[] {
  const rank = ({ route }: AnyOperation) => (route?.whenBodyHas === undefined ? 1 : 0);
  return operations.toSorted((one, other) => rank(one) - rank(other));
}

function isMethod(method: string): method is Method {
  return METHODS.some((known) => known === method);
}
