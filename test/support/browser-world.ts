import { expect } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { anAuthenticationServer, type TestAuthenticationServer } from './authentication-server.ts';
import { aCallbackServer } from './callback-server.ts';
import { aChromium } from './chromium.ts';
import { aDatabase, type TestDatabase } from './database.ts';
import { aVisitor, type Visitor } from './visitor.ts';

/** What people at the pages need: the server that shows them, an application's end, and a browser; once for a test file. */
export interface BrowserWorld {
  readonly database: TestDatabase;
  readonly server: TestAuthenticationServer;
  /** Where applications are called back. */
  readonly redirectUri: string;
  visitor(options?: BrowserContextOptions): Promise<Visitor>;
  /** Expects that the server had no error. */
  close(): Promise<void>;
}

export async function aBrowserWorld(): Promise<BrowserWorld> {
  const [database, callback, browser]: [TestDatabase, Awaited<ReturnType<typeof aCallbackServer>>, Browser] =
    await Promise.all([aDatabase(), aCallbackServer(), aChromium()]);
  const server = await anAuthenticationServer(database);
  return {
    database,
    server,
    redirectUri: callback.redirectUri,
    visitor: (options) => aVisitor(browser, options),
    close: async () => {
      await Promise.all([browser.close(), callback.close(), server.close()]);
      await database.drop();
      expect(server.errors).toEqual([]);
    },
  };
}
