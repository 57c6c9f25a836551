/** Requests to a store in progress at once: hides its latency without more connections than a client has. */
const MAX_CONCURRENT = 16;

/** The results of `work` for each item, in order; `MAX_CONCURRENT` run at a time. The first error ends it. */
export async function concurrently<T, R>(items: Iterable<T>, work: (item: T) => Promise<R>): Promise<R[]> {
  const entries = [...items].entries();
  const results: R[] = [];
  const next = async () => {
    for (const [i, item] of entries) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, next));
  return results;
}
