import { type Unit, unitId, unitOf } from '../../../src/pipeline/units.js';

describe('a unit', () => {
  it.each([
    [{ day: '2026-03-10' }, 'day-20260310'],
    [{ day: '2026-03-10', part: 0 }, 'day-20260310-0'],
    [{ day: '2026-03-10', part: 63 }, 'day-20260310-63'],
    [{ day: '2026-03-10', part: 'platform' }, 'day-20260310-platform'],
  ] as [Unit, string][])('%j has the id %s', (unit, id) => {
    expect(unitId(unit)).toBe(id);
    expect(unitOf(id)).toEqual(unit);
  });

  it.each(['all', 'c0-20260310', 'day-20260231', 'day-20260310-', 'day-20260310-x', 'day-20260310-1-2'])(
    'does not have the id %s',
    (id) => expect(unitOf(id)).toBeUndefined(),
  );
});
