/** Exits 0 when every URL given answers 2xx within two seconds; the slim images hold no curl. */
const urls = process.argv.slice(2);
const answers = await Promise.allSettled(urls.map((url) => fetch(url, { signal: AbortSignal.timeout(2000) })));
const healthy = urls.length > 0 && answers.every((answer) => answer.status === 'fulfilled' && answer.value.ok);
process.exit(healthy ? 0 : 1);

export {};
