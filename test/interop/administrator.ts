import type { Deployment } from '../support/deployment.ts';
import { publicly, signIn } from './msal.ts';
import { ADA, CONSOLE, CONTOSO, LOOPBACK } from './organizations.ts';

/** Sets an application as an administrator does, by the directory API. */
export async function setCompatibility(
  { origin, directoryOrigin }: Deployment,
  { id }: { readonly id: string },
  compatibility: object,
): Promise<void> {
  const msal = publicly(origin, CONTOSO.id, CONSOLE);
  const asked = { scopes: ['Application.ReadWrite.All'], redirectUri: `${LOOPBACK}:53682` };
  const { accessToken } = await signIn(msal, origin, ADA, asked);
  const response = await fetch(`${directoryOrigin}/v1.0/applications/${id}`, {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ compatibility }),
  });
  if (response.status !== 204 && response.status !== 200) throw new Error(`Not set: ${await response.text()}`);
}
