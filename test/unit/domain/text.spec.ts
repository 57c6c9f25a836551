import fc from 'fast-check';
import { codePointCount, compareText, hideSecrets, nonBlank } from '../../../src/domain/text.js';

describe('a text', () => {
  it.each([
    [null, null],
    ['', null],
    [' \t\n', null],
    ['\u00a0\u3000', null],
    ['a', 'a'],
    [' a ', ' a '],
    ['0', '0'],
  ])('%j is normalized to %j', (text, expected) => {
    expect(nonBlank(text)).toBe(expected);
  });

  it.each([
    ['', 0],
    ['abc', 3],
    ['😀é', 2],
    ['e\u0301', 2],
  ])('%j has %d code points', (text, length) => {
    expect(codePointCount(text)).toBe(length);
  });

  it.each([
    ['a', 'b', -1],
    ['B', 'a', -1],
    ['a', 'aa', -1],
    ['', 'a', -1],
    ['a', 'a', 0],
    ['ä', 'z', 1],
    // JavaScript compares UTF-16 units and orders these two the other way round.
    ['\uffff', '😀', -1],
    ['a😀', 'a😁', -1],
  ])('%j and %j compare as %d', (a, b, sign) => {
    expect(Math.sign(compareText(a, b))).toBe(sign);
    expect(Math.sign(compareText(b, a)) + sign).toBe(0);
  });

  it('is ordered by its UTF-8 bytes', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'é', '\uffff', '\ue000', '😀', '😁', '\u{10ffff}'),
      maxLength: 5,
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a text of a server', () => {
  it.each([
    ['key hunter2-long is wrong, hunter2-long', ['hunter2-long'], 'key *** is wrong, ***'],
    ['/?k=a%2Fb%3Dc', ['a/b=c'], '/?k=***'],
    ['longer and long', ['long', 'longer'], '*** and ***'],
    ['a bad day', ['bad', undefined, ''], 'a bad day'],
    ['{"token": "a\\"b\\\\c\\/d"}', ['a"b\\c/d'], '{"token": "***"}'],
    ['{"token": "p\\u00e4ss", "again": "päss"}', ['päss'], '{"token": "***", "again": "***"}'],
    ['<b>a&amp;b&lt;c&#39;d&#x3D;&#x3d;</b>', ["a&b<c'd=="], '<b>***</b>'],
    ['/?k=a%2fb+c%27d', ["a/b c'd"], '/?k=***'],
    ['a.b and axb', ['a.b.'], 'a.b and axb'],
    ['$&$1 stays, (x)*y goes', ['(x)*y'], '$&$1 stays, *** goes'],
  ])('%p with the secrets %p becomes %p', (text, secrets, expected) => {
    expect(hideSecrets(text, secrets)).toBe(expected);
  });
});
