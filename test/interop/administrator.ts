import type { Deployment } from '../support/deployment.ts';
import { publicly, signIn } from './msal.ts';
import { ADA, CONSOLE, CONTOSO, LOOPBACK } from './organizations.ts';

/** Changes an application as an administrator does, by the directory API. */
export async function changeApplication(
  { origin, directoryOrigin }: Deployment,
  { id }: { readonly id: string },
  properties: object,
): Promise<void> {
  const msal = publicly(origin, CONTOSO.id, CONSOLE);
  const asked = { scopes: ['Application.ReadWrite.All'], redirectUri: `${LOOPBACK}:53682` };
  const { accessToken } = await signIn(msal, origin, ADA, asked);
  const response = await fetch(`${directoryOrigin}/v1.0/applications/${id}`, {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(properties),
  });
  if (response.status !== 204 && response.status !== 200) throw new Error(`Not set: ${await response.text()}`);
}

export const setCompatibility = (deployment: Deployment, application: { readonly id: string }, compatibility: object) =>
  changeApplication(deployment, application, { compatibility });
