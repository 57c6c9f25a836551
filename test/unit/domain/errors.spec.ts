import { readFile } from 'node:fs/promises';
import { errno, errorMessage, firstLine } from '../../../src/domain/errors.js';

describe('errno', () => {
  it('is the code of a system error', async () => {
    const error = await readFile('/no/such/file').catch((caught: unknown) => caught);
    expect(errno(error)).toBe('ENOENT');
  });

  it.each([
    ['an error of another kind', new Error('x')],
    ['a code of another kind', Object.assign(new Error('x'), { code: 'store_io' })],
    ['a number', Object.assign(new Error('x'), { code: 2 })],
    ['null', null],
    ['a string', 'ENOENT'],
  ])('is undefined for %s', (_, error) => {
    expect(errno(error)).toBeUndefined();
  });
});

describe('the message of an error', () => {
  it.each([
    ['an error', new Error('a\nb'), 'a\nb', 'a'],
    ['an error without a message', new TypeError(), '', 'TypeError'],
    ['anything else', 'a\nb', 'a\nb', 'a'],
    ['a long message', new Error('x'.repeat(301)), 'x'.repeat(301), 'x'.repeat(300)],
  ])('of %s', (_, error, message, line) => {
    expect(errorMessage(error)).toBe(message);
    expect(firstLine(error)).toBe(line);
  });
});
