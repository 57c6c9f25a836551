import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Duck } from '../../../src/storage/duck.js';
import { createPartMacro, dayParts, partOf, partsSharedWith } from '../../../src/storage/parts.js';

describe('partOf', () => {
  let folder: string;
  let duck: Duck;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parts-'));
    duck = await Duck.open(folder);
  });
  afterAll(async () => {
    duck.close();
    await rm(folder, { recursive: true, force: true });
  });

  const inSql = (texts: readonly string[], files: number): Promise<number[]> =>
    duck.session(async (session) => {
      await createPartMacro(session);
      const rows = await session.rows<{ part: number }>(
        `SELECT part_of(text, $files) AS part
         FROM (SELECT unnest(from_json($texts, '["VARCHAR"]')) AS text, generate_subscripts(from_json($texts, '["VARCHAR"]'), 1) AS i)
         ORDER BY i`,
        { texts: JSON.stringify(texts), files },
      );
      return rows.map(({ part }) => part);
    });

  it('never changes: readers compute it as well', () => {
    // In Python, hashlib.sha256('churn'.encode()).hexdigest()[:8] is 88b2072e.
    expect(partOf('churn', 4_294_967_296)).toBe(0x88b2072e);
    expect(['churn', 'é😀', ''].map((text) => partOf(text, 64))).toEqual([0x2e % 64, 0xf6 % 64, 0x42 % 64]);
    expect(partOf('anything', 1)).toBe(0);
  });

  it('is the same in SQL', async () => {
    const text = fc.string({ unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1 }),
        fc.integer({ min: 1, max: 64 }),
        async (texts, files) => {
          expect(await inSql(texts, files)).toEqual(texts.map((each) => partOf(each, files)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('divides names evenly', () => {
    const counts = dayParts('2026-03-10', 8).map(() => 0);
    for (let i = 0; i < 8_000; i++) {
      const part = partOf(`application-${i}`, 8);
      counts[part] = (counts[part] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(900);
    expect(Math.max(...counts)).toBeLessThan(1_100);
  });
});

describe('partsSharedWith', () => {
  it('are the parts of another day that may have a name of the part', () => {
    expect(partsSharedWith({ part: 2, files: 4 }, 4)).toEqual([2]);
    expect(partsSharedWith({ part: 2, files: 4 }, 1)).toEqual([0]);
    expect(partsSharedWith({ part: 0, files: 1 }, 3)).toEqual([0, 1, 2]);
    const files = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(fc.string(), files, files, (name, today, other) => {
        const shared = partsSharedWith({ part: partOf(name, today), files: today }, other);
        expect(shared).toContain(partOf(name, other));
      }),
    );
  });
});
