// A command-line tool: a person signs in with a browser on another device, and it acts in his name.
//   scripts/samples/run command-line-tool [URL SCOPE]
import { PublicClientApplication } from '@azure/msal-node';

const { AZURE_AUTHORITY = '', AZURE_CLIENT_ID = '', AZURE_KNOWN_AUTHORITIES = '', GRAPH_BASE_URL = '' } = process.env;
const [url = `${GRAPH_BASE_URL}v1.0/me`, scope = 'User.Read'] = process.argv.slice(2);

const application = new PublicClientApplication({
  auth: {
    authority: AZURE_AUTHORITY,
    clientId: AZURE_CLIENT_ID,
    knownAuthorities: AZURE_KNOWN_AUTHORITIES.split(','),
  },
});
const result = await application.acquireTokenByDeviceCode({
  scopes: [scope],
  deviceCodeCallback: ({ message }) => console.error(message),
});
const answer = await fetch(url, { headers: { authorization: `Bearer ${result?.accessToken}` } });
console.log(await answer.text());
if (!answer.ok) process.exitCode = 1;
