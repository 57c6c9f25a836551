import { changedDays } from '../../../src/dashboard/published-objects.js';

it('changedDays finds days with new, replaced and removed objects, newest first', () => {
  const key = (day: string) => `runs/2026/03/${day}/part-0.parquet`;
  const before = new Map([
    [key('01'), 'a'],
    [key('02'), 'b'],
    [key('03'), 'c'],
  ]);
  const after = new Map([
    [key('02'), 'b'],
    [key('03'), 'd'],
    [key('04'), 'e'],
  ]);
  expect(changedDays(before, after)).toEqual(['2026-03-04', '2026-03-03', '2026-03-01']);
  expect(changedDays(after, after)).toEqual([]);
});
