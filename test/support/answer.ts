/** An HTTP answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the answer: a test reads what the wire says, and its assertions are the check
  readonly body: any;
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  // An answer to HEAD has the type of what it leaves out.
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}
