import type { RequestListener, ServerResponse } from 'node:http';

/** Answers `/healthz` before anything else is asked: 200 while the database answers, else 503. */
export function withHealth(handle: RequestListener, isHealthy: () => Promise<boolean>): RequestListener {
  return (request, response) =>
    request.url === '/healthz' ? writeHealth(response, isHealthy) : handle(request, response);
}

async function writeHealth(response: ServerResponse, isHealthy: () => Promise<boolean>): Promise<void> {
  const healthy = await isHealthy();
  response.writeHead(healthy ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ status: healthy ? 'ok' : 'unavailable' }));
}
