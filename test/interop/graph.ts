import { Client } from '@microsoft/microsoft-graph-client';
import type { Deployment } from '../support/deployment.ts';

/** As its page says for another cloud: the host is named, so that the token is sent there. */
export function graphClient({ directoryOrigin }: Deployment, accessToken: string): Client {
  const { origin, hostname } = new URL(directoryOrigin);
  return Client.initWithMiddleware({
    authProvider: { getAccessToken: async () => accessToken },
    baseUrl: `${origin}/`,
    customHosts: new Set([hostname]),
  });
}
