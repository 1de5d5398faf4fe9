import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Assets } from '../pages/assets.ts';
import { ASSET_HEADERS } from '../pages/headers.ts';

type PlainRoute = (request: IncomingMessage, response: ServerResponse) => void;

/** The files that pages link. Their names change with their content, so they are kept for ever. */
export function assetRoutes({ files }: Assets): [string, PlainRoute][] {
  return [...files].map(([path, { body, contentType }]) => [
    path,
    (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const headers = { ...ASSET_HEADERS, 'Content-Type': contentType, 'Content-Length': body.length };
      if (isRead) response.writeHead(200, headers).end(body);
      else response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    },
  ]);
}
