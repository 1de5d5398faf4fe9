import { Authorization } from '../../src/authorization/perform.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { Store } from '../../src/store/store.ts';
import { anAuthenticationServer } from './authentication-server.ts';
import { noPreparations } from './database.ts';
import { aDirectoryServer } from './directory-server.ts';
import { StaleStore } from './stale-store.ts';

/** What the parent tells this process, as its one argument in JSON. */
export interface ServerProcessSettings {
  readonly urls: Readonly<Record<'authentication' | 'directory', string>>;
  /** Base64. */
  readonly key: string;
  readonly publicOrigin: string;
  /** A build that is broken on purpose: for how long it believes the versions that it read. */
  readonly believesVersionsMs?: number;
}

/** What this process says when it listens, as one line of JSON. */
export interface ServerProcessOrigins {
  readonly origin: string;
  readonly directoryOrigin: string;
}

/** Both sides in a process of their own, each with its login; prints where they listen. Run by `aServerProcess`. */
const settings: ServerProcessSettings = JSON.parse(process.argv[2] ?? '');
const { urls, publicOrigin, believesVersionsMs } = settings;
const sealer = new Sealer(Buffer.from(settings.key, 'base64'));
const openStore = (login: string) => {
  const url = login === 'authentication' ? urls.authentication : urls.directory;
  const options = { url, sealer, onError: (error: Error) => console.error(error.message) };
  return believesVersionsMs === undefined ? new Store(options) : new StaleStore(options, believesVersionsMs);
};
const authentication = await anAuthenticationServer({ sealer, openStore }, { publicOrigin });
const authorization = new Authorization(openStore('directory'), noPreparations);
const directory = await aDirectoryServer({ sealer, authorization: () => authorization });
const origins: ServerProcessOrigins = { origin: authentication.origin, directoryOrigin: directory.origin };
console.log(JSON.stringify(origins));
