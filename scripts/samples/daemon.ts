// A daemon: it has nobody who signs in, proves itself by a certificate, and reads who is in the organization.
//   scripts/samples/run daemon
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { Client } from '@microsoft/microsoft-graph-client';

const { AZURE_AUTHORITY = '', AZURE_CLIENT_ID = '', AZURE_KNOWN_AUTHORITIES = '' } = process.env;
const { AZURE_CLIENT_CERTIFICATE_PATH = '', GRAPH_SCOPE = '' } = process.env;
const { GRAPH_BASE_URL = '', GRAPH_CUSTOM_HOSTS = '' } = process.env;

/** The private key and the certificate, in one file. */
const pem = readFileSync(AZURE_CLIENT_CERTIFICATE_PATH, 'utf8');
const application = new ConfidentialClientApplication({
  auth: {
    authority: AZURE_AUTHORITY,
    clientId: AZURE_CLIENT_ID,
    knownAuthorities: AZURE_KNOWN_AUTHORITIES.split(','),
    clientCertificate: {
      thumbprintSha256: new X509Certificate(pem).fingerprint256.replaceAll(':', ''),
      privateKey: pem,
    },
  },
});
const graph = Client.initWithMiddleware({
  baseUrl: GRAPH_BASE_URL,
  customHosts: new Set(GRAPH_CUSTOM_HOSTS.split(',')),
  authProvider: {
    getAccessToken: async () => {
      const result = await application.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
      return result?.accessToken ?? '';
    },
  },
});

const { value }: { value: { displayName: string; userPrincipalName: string }[] } = await graph
  .api('/users')
  .select(['displayName', 'userPrincipalName'])
  .get();
for (const { displayName, userPrincipalName } of value) console.log(`${displayName} <${userPrincipalName}>`);
