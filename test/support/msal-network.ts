import { request } from 'node:https';
import type { INetworkModule } from '@azure/msal-node';

type Options = Parameters<INetworkModule['sendPostRequestAsync']>[1];

/** MSAL's way to the network, trusting one certificate authority and no other. `asked` has every URL in order. */
export class MsalNetwork implements INetworkModule {
  readonly asked: string[] = [];
  readonly #authority: string;

  /** @param authority in PEM */
  constructor(authority: string) {
    this.#authority = authority;
  }

  async sendGetRequestAsync<T>(url: string, options?: Options) {
    return this.#send<T>('GET', url, options);
  }

  async sendPostRequestAsync<T>(url: string, options?: Options) {
    return this.#send<T>('POST', url, options);
  }

  #send<T>(method: string, url: string, { headers = {}, body = '' }: Options = {}) {
    this.asked.push(`${method} ${new URL(url).pathname}`);
    return new Promise<{ headers: Record<string, string>; body: T; status: number }>((resolve, reject) => {
      const sent = { ...headers, 'content-length': Buffer.byteLength(body) };
      const call = request(url, { method, ca: this.#authority, headers: sent }, async (answer) => {
        let text = '';
        for await (const chunk of answer.setEncoding('utf8')) text += chunk;
        const received = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(received), body: JSON.parse(text) });
      });
      call.on('error', reject).end(body);
    });
  }
}
