import { z } from 'zod';
import { finish } from '../../../src/domain/steps.js';
import { validateSteps } from '../../../src/storage/validate-steps.js';

const item = z.object({ name: z.string().transform((text) => text.trim()), size: z.int().default(0) });
const schema = z.object({
  version: z.literal(1),
  list: z.array(item),
  byId: z.record(z.string(), item),
  short: z.array(item).max(2),
});
const valid = (rows: number) => ({
  version: 1,
  list: Array.from({ length: rows }, (_, i) => ({ name: ` ${i}`, other: true })),
  byId: Object.fromEntries(Array.from({ length: rows }, (_, i) => [`id ${i}`, { name: ` ${i}` }])),
  short: [{ name: 'a' }],
});
const issueOf = (value: unknown) => finish(validateSteps(schema, value)).error?.issues[0];

describe('validation in steps', () => {
  it.each([0, 10, 500, 501, 1_777])('gives what the schema gives for %d items', (rows) => {
    const steps = finish(validateSteps(schema, valid(rows)));
    expect(steps).toEqual(schema.safeParse(valid(rows)));
    expect(JSON.stringify(steps.data)).toBe(JSON.stringify(schema.parse(valid(rows))));
  });

  it('pauses every few items', () => {
    expect([...validateSteps(schema, valid(5_000))].length).toBeGreaterThanOrEqual(200);
  });

  it('names the invalid item', () => {
    const list = valid(2_000);
    list.list[1_234] = { name: 5 } as never;
    expect(issueOf(list)).toEqual(schema.safeParse(list).error?.issues[0]);
    const record = valid(2_000);
    record.byId['id 1500'] = { name: 'a', size: 'b' } as never;
    expect(issueOf(record)).toEqual(schema.safeParse(record).error?.issues[0]);
  });

  it.each([null, 5, [], {}, { ...valid(600), version: 2 }, { ...valid(600), short: valid(3).list }])(
    'rejects what the schema rejects',
    (value) => {
      expect(issueOf(value)).toEqual(schema.safeParse(value).error?.issues[0]);
      expect(issueOf(value)).toBeDefined();
    },
  );
});
