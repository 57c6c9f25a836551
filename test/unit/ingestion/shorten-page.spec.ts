import { createHash } from 'node:crypto';
import { shortenJson } from '../../../src/ingestion/shorten-page.js';

const LONG = 'x'.repeat(70_000);
const pageWith = (dataset: object, params: object[] = []) => ({
  runs: [{ info: { run_id: 'a' }, data: { params }, inputs: { dataset_inputs: [{ dataset }] } }],
});
const shortened = (page: object, space?: number) =>
  JSON.parse(String(shortenJson(Buffer.from(JSON.stringify(page, null, space)))));
const marker = (value: string) => {
  const json = JSON.stringify(value);
  return { omitted_bytes: Buffer.byteLength(json), sha256: createHash('sha256').update(json).digest('hex') };
};

describe('shortenJson', () => {
  it.each([undefined, 2])('replaces long values of a dataset by size and digest (indent %s)', (space) => {
    const tricky = `\\"profile": "${LONG}\\\\"é\\`;
    const page = pageWith({ name: 'd', schema: LONG, profile: tricky, source: '{}' });
    expect(shortened(page, space)).toEqual(
      pageWith({ name: 'd', schema: marker(LONG), profile: marker(tricky), source: '{}' }),
    );
  });

  it('keeps everything else, byte for byte', () => {
    const params = [
      { key: 'profile', value: LONG },
      { key: 'p', value: `"profile": "${LONG}"` },
    ];
    const json = Buffer.from(JSON.stringify(pageWith({ name: LONG, profile: 'x'.repeat(65_000) }, params)));
    expect(shortenJson(json).equals(json)).toBe(true);
  });

  it.each(['{"profile"', '{"profile":', `{"profile": "${LONG}`, `{"profile": "${LONG}\\"`])(
    'survives a truncated page',
    (json) => {
      expect(() => shortenJson(Buffer.from(json))).not.toThrow();
    },
  );
});
