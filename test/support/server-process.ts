import { Sealer } from '../../src/store/sealing.ts';
import { Store } from '../../src/store/store.ts';
import { anAuthenticationServer } from './authentication-server.ts';

/** What the parent tells this process, as its one argument in JSON. */
export interface ServerProcessSettings {
  readonly url: string;
  /** Base64. */
  readonly key: string;
  readonly publicOrigin: string;
}

/** An authorization server in a process of its own; prints where it listens. Run by `aServerProcess`. */
const { url, key, publicOrigin }: ServerProcessSettings = JSON.parse(process.argv[2] ?? '');
const sealer = new Sealer(Buffer.from(key, 'base64'));
const openStore = () => new Store({ url, sealer, onError: (error) => console.error(error.message) });
const server = await anAuthenticationServer({ sealer, openStore }, { publicOrigin });
console.log(server.origin);
