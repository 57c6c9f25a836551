import fc from 'fast-check';
import { canonicalJson } from '../../../src/domain/canonical-json.js';
import { findJsonError } from '../../../src/domain/json-error.js';
import { canonicalJsonSteps, jsonArraySteps, parseJsonSteps } from '../../../src/domain/json-steps.js';
import { finish } from '../../../src/domain/steps.js';

/** What a function returns or throws. */
const outcome = (work: () => unknown): unknown => {
  try {
    return { value: work() };
  } catch (error) {
    return String(error);
  }
};
const parseInPieces = (text: string, atOnce: number) => finish(parseJsonSteps(Buffer.from(text), atOnce));
/** `undefined` if the value has no text. */
const canonicalInPieces = (value: unknown) => String(finish(canonicalJsonSteps(value))) || undefined;

describe('JSON in pieces', () => {
  it('is parsed as JSON.parse does', () => {
    const space = fc.constantFrom(undefined, 1, '\t', '\r\n');
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), space, fc.nat(40), (json, indent, atOnce) => {
        const text = ` ${JSON.stringify(JSON.parse(json), null, indent)}\n`;
        expect(parseInPieces(text, atOnce)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  const token = fc.constantFrom(
    ...[
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '"a"',
      '"\\""',
      '\\',
      '1',
      '-',
      ' ',
      'null',
      '"b":',
      '\n',
      '\u0001',
    ],
  );
  const text = fc.array(token, { maxLength: 14 }).map((tokens) => tokens.join(''));
  const parses = (value: string) => typeof outcome(() => JSON.parse(value)) !== 'string';

  it('is invalid when JSON.parse throws, for any text', () => {
    fc.assert(
      fc.property(text, fc.nat(6), (value, atOnce) => {
        const parsed = outcome(() => parseInPieces(value, atOnce));
        expect(typeof parsed === 'string').toBe(!parses(value));
        if (parses(value)) expect(parsed).toEqual({ value: JSON.parse(value) });
        else if (Buffer.byteLength(value) <= atOnce) expect(parsed).toBe(outcome(() => JSON.parse(value)));
      }),
      { numRuns: 10_000 },
    );
  });

  it('is invalid from the first token that JSON cannot have there', () => {
    fc.assert(
      fc.property(text, (value) => {
        const error = finish(findJsonError(value));
        expect(error === undefined).toBe(parses(value));
      }),
      { numRuns: 10_000 },
    );
    for (const [value, at] of [
      ['', 0],
      [' [1, 2 3]', 7],
      ['{"a":1,}', 7],
      ['{"a" 1}', 5],
      ['[1]]', 3],
      ['["a', 1],
      ['[1', 2],
      ['[01]', 2],
      ['[1}', 2],
    ] as const) {
      expect([value, finish(findJsonError(value))]).toEqual([value, at]);
    }
  });

  it.each(['[1,]', '[,1]', '[1,,2]', '{"a":1,}', '{"a":1,"b"}', '[[1}]', '{"a":[1,2],3]}', '[1] 2', '["a]'])(
    'rejects %s',
    (text) => {
      for (let atOnce = 0; atOnce < 8; atOnce++)
        expect(() => parseInPieces(text, atOnce)).toThrow(SyntaxError);
    },
  );

  it('keeps the order and the last value of repeated keys, and the key __proto__', () => {
    const text = '{"b":1,"a":[1,2,3],"b":2,"__proto__":{"x":[1]},"10":1,"9":1}';
    for (let atOnce = 0; atOnce < 30; atOnce++) {
      expect(JSON.stringify(parseInPieces(text, atOnce))).toBe(JSON.stringify(JSON.parse(text)));
    }
  });

  it('pauses often in a large document', () => {
    const text = JSON.stringify({ rows: Array.from({ length: 20_000 }, (_, i) => ({ name: `row ${i}` })) });
    expect([...parseJsonSteps(Buffer.from(text), 1_000)].length).toBeGreaterThanOrEqual(20_000);
  });

  it('is written as canonicalJson does', () => {
    fc.assert(
      fc.property(fc.anything({ withSparseArray: false, withNullPrototype: true }), (value) => {
        const text = outcome(() => canonicalJson(value));
        fc.pre(typeof text !== 'string');
        expect({ value: canonicalInPieces(value) }).toEqual(text);
      }),
      { numRuns: 2_000 },
    );
    const value = { b: { 10: 1, 9: undefined, a: [undefined, { z: 1, a: 2 }] }, a: [], c: undefined };
    expect(canonicalInPieces(value)).toBe(canonicalJson(value));
    const many = Array.from({ length: 30_000 }, (_, i) => ({ name: `ü${i}` }));
    expect(canonicalInPieces(many)).toBe(canonicalJson(many));
  });

  it('of an array is that of JSON.stringify', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ stringUnit: 'binary' }), { maxLength: 130 }), (rows) => {
        const pieces: string[] = [];
        finish(jsonArraySteps(rows, (piece) => pieces.push(piece)));
        expect(pieces.join('')).toBe(JSON.stringify(rows));
      }),
    );
  });
});
