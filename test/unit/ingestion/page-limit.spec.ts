import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { PageLimit, PageTooBigError } from '../../../src/ingestion/page-limit.js';

/** Passes chunks through a limit. @returns how many runs it has counted before it cut the response off */
async function runsOf(chunks: readonly string[], limit: number): Promise<number | undefined> {
  const response = { date: 0, length: undefined };
  const page = new PageLimit('runs/search', limit, response, () => undefined);
  try {
    await pipeline(Readable.from(chunks.map((text) => Buffer.from(text))), page.resume());
  } catch (error) {
    if (error instanceof PageTooBigError) return error.cut.runs;
    throw error;
  }
  return undefined;
}

describe('the runs of a response that is cut off', () => {
  const pieces = fc.constantFrom('"info"', '"inf', 'o"', '"', '"info', 'in', '{}');

  it('are counted wherever the chunks of the response end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(40), { maxLength: 8 }),
        fc.nat(60),
        async (parts, cuts, limit) => {
          const text = parts.join('');
          const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
          const chunks = ends
            .map((end, i) => text.slice(ends[i - 1] ?? 0, end))
            .filter((each) => each !== '');
          const counted = [...text.slice(0, limit).matchAll(/(?="info")/g)].length;
          expect(await runsOf(chunks, limit)).toBe(text.length > limit ? counted : undefined);
        },
      ),
      { numRuns: 500 },
    );
  });
});
