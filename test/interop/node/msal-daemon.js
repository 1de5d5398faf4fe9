// A token for MSAL's confidential client: {auth, asked} as JSON on standard input; what it got, or what MSAL threw, as JSON on
// standard output.
import { json } from 'node:stream/consumers';
import { ConfidentialClientApplication } from '@azure/msal-node';

const { auth, asked } = await json(process.stdin);
const result = await new ConfidentialClientApplication({ auth }).acquireTokenByClientCredential(asked).then(
  ({ tokenType, fromCache }) => ({ tokenType, fromCache }),
  ({ name, message, errorCode, errorNo }) => ({ thrown: name, message, errorCode, errorNo }),
);
process.stdout.write(JSON.stringify(result));
