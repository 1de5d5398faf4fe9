/** What a client library threw: its class and code are what applications go by. */
export function thrown(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    (result) => {
      throw new Error(`Nothing was thrown: ${JSON.stringify(result)}`);
    },
    (error) => error,
  );
}
