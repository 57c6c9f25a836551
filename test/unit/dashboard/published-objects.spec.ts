import { changedDays } from '../../../src/dashboard/published-objects.js';

it('changedDays finds days with new, replaced and removed objects, newest first', () => {
  const objects = (etags: Record<string, string>) =>
    new Map(
      Object.entries(etags).map(([day, etag]) => {
        const key = `runs/2026/03/${day}/part-0.parquet`;
        return [key, { key, etag, size: 1 }];
      }),
    );
  const before = objects({ '01': 'a', '02': 'b', '03': 'c' });
  const after = objects({ '02': 'b', '03': 'd', '04': 'e' });
  expect(changedDays(before, after)).toEqual(['2026-03-04', '2026-03-03', '2026-03-01']);
  expect(changedDays(after, after)).toEqual([]);
});
