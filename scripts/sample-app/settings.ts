import { readFileSync } from 'node:fs';
import type { Registration } from './application.ts';

const {
  SAMPLE_APP_CONFIG = new URL('./demo.json', import.meta.url).pathname,
  SAMPLE_APP_ORIGIN = 'http://localhost:8402',
  SAMPLE_APP_LISTEN = '127.0.0.1:8402',
  TLS_CERTIFICATE_FILE,
  TLS_KEY_FILE,
} = process.env;

/** Registrations hold client secrets: those of the demo are public, real ones come from where secrets are kept. */
const { directoryOrigin, applications }: { directoryOrigin: string; applications: readonly Registration[] } =
  JSON.parse(readFileSync(SAMPLE_APP_CONFIG, 'utf8'));
const [host = '127.0.0.1', port = '8402'] = SAMPLE_APP_LISTEN.split(/:(?=\d+$)/);

export const settings = {
  /** By which browsers know this application. */
  origin: SAMPLE_APP_ORIGIN,
  directoryOrigin,
  applications,
  host,
  port: Number(port),
  tls:
    TLS_CERTIFICATE_FILE && TLS_KEY_FILE
      ? { cert: readFileSync(TLS_CERTIFICATE_FILE), key: readFileSync(TLS_KEY_FILE) }
      : undefined,
};
