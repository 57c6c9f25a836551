import fc from 'fast-check';
import { isPattern, matches, passes } from '../../../src/domain/pattern.js';

describe('a pattern', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything/at all', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['accuracy', 'accuracy', true],
    ['accuracy', 'Accuracy', false],
    ['accuracy', 'val_accuracy', false],
    ['accuracy', 'accuracy_1', false],
    ['*accuracy', 'accuracy', true],
    ['*accuracy', 'val/accuracy', true],
    ['system/*', 'system/gpu/0/memory', true],
    ['system/*', 'my/system/gpu', false],
    ['*/loss', 'a/b/c/loss', true],
    ['a*b*c', 'a--b--c', true],
    ['a*b*c', 'abcb', false],
    ['**', 'a', true],
    ['a**', 'a', true],
    ['*?', '', false],
    ['?*', 'a', true],
    ['loss_?', 'loss_1', true],
    ['loss_?', 'loss_', false],
    ['loss_?', 'loss_12', false],
    ['a?c', 'a/c', true],
    ['*\n*', 'a\nb', true],
    ['?', '\n', true],
  ])('%j matches %j: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it.each([
    ['?', '😀', true],
    ['??', '😀', false],
    ['??', '😀é', true],
    ['*?x', '😀x', true],
    ['😀*', '😀 ok', true],
    // Half of a surrogate pair is not a character.
    ['\ud83d*', '😀', false],
    ['*\ude00', '😀', false],
    // Composed and decomposed forms are different names, as in MLflow.
    ['é', 'e\u0301', false],
  ])('works on code points: %j matches %j: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it.each(['[ab]', 'a.c', 'a+', '(a|b)', '{a,b}', '\\*', '^a$', '!a', '%', '_', '#', '~'])(
    'has no other special characters: %j matches only itself',
    (text) => {
      expect(matches(text, text)).toBe(true);
      for (const other of ['a', 'ab', 'abc', 'aa', '*', 'b']) {
        if (other !== text) expect(matches(text.replace('*', '.'), other)).toBe(false);
      }
    },
  );

  it('is a name that contains a wildcard', () => {
    expect(['a*', '?', '*'].map(isPattern)).toEqual([true, true, true]);
    expect(['a', '', '[a]', 'a.b'].map(isPattern)).toEqual([false, false, false, false]);
  });

  it('is decided quickly even if it causes exponential backtracking in regular expressions', () => {
    const name = 'a'.repeat(5_000);
    expect(matches(`${'a*'.repeat(500)}b`, name)).toBe(false);
    expect(matches(`${'*a'.repeat(500)}`, name)).toBe(true);
    expect(matches(`${'*?'.repeat(500)}b`, name)).toBe(false);
  });

  it('matches the same names as the equivalent regular expression', () => {
    const letters = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
    fc.assert(
      fc.property(
        letters('*', '?', 'a', 'b', '.', '😀'),
        letters('a', 'b', '.', '😀', '*'),
        (pattern, name) => {
          const source = [...pattern].map((c) =>
            c === '*' ? '.*' : c === '?' ? '.' : c.replace(/[.\\+^$()[\]{}|]/, '\\$&'),
          );
          expect(matches(pattern, name)).toBe(new RegExp(`^${source.join('')}$`, 'su').test(name));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('include and exclude', () => {
  it.each([
    ['accuracy', [], [], true],
    ['accuracy', ['acc*'], [], true],
    ['loss', ['acc*'], [], false],
    ['loss', ['acc*', 'l?ss'], [], true],
    ['system/cpu', [], ['system/*'], false],
    ['system/cpu', ['system/*'], ['system/*'], false],
    ['accuracy', [], ['system/*', 'loss'], true],
  ])('%j passes include %j and exclude %j: %s', (name, include, exclude, expected) => {
    expect(passes(name, include, exclude)).toBe(expected);
  });
});
