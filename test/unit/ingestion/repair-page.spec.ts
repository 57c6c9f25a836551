import { finish } from '../../../src/domain/steps.js';
import { repairJson } from '../../../src/ingestion/repair-page.js';

const repair = (json: string): string => finish(repairJson(json));

describe('repairJson', () => {
  it.each([
    ['a control character in a text becomes its escape', '{"a": "x\u0001y"}', '{"a": "x\\u0001y"}'],
    ['so do a line break and a tab', '{"a": "x\n\ty"}', '{"a": "x\\u000a\\u0009y"}'],
    ['so does one in a key', '{"a\u001f": 1}', '{"a\\u001f": 1}'],
    ['white space between texts stays', '{\n\t"a": "x",\r\n "b": 1}', '{\n\t"a": "x",\r\n "b": 1}'],
    ['an escaped quote does not end a text', '{"a": "\\"\n"}', '{"a": "\\"\\u000a"}'],
    ['an escaped backslash ends before the quote', '{"a": "\\\\"\n}', '{"a": "\\\\"\n}'],
    ['half a surrogate pair becomes U+FFFD', '"\\ud800"', '"\\ufffd"'],
    ['a byte order mark at the beginning is removed', '\ufeff{"a": "\ufeff"}', '{"a": "\ufeff"}'],
    ['a pair stays', '"\\ud83d\\ude00"', '"\\ud83d\\ude00"'],
  ])('%s', (_, json, repaired) => {
    expect(repair(json)).toBe(repaired);
  });

  it('repairs a long page in pieces, without cutting an escape', () => {
    const unit = '\\ud83d\\ude00\\\\\\"';
    for (let shift = 0; shift < unit.length; shift++) {
      const text = `${'x'.repeat(shift)}${unit.repeat(40_000)}`;
      expect(repair(`{"a": "${text}\n", "b":\n1}`)).toBe(`{"a": "${text}\\u000a", "b":\n1}`);
    }
  });
});
