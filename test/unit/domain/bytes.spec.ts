import { randomBytes } from 'node:crypto';
import { concatSteps, piecesOf, withoutByteOrderMark } from '../../../src/domain/bytes.js';
import { finish } from '../../../src/domain/steps.js';

const MIB = 2 ** 20;
const parts = [Buffer.alloc(0), randomBytes(3 * MIB + 7), randomBytes(5), randomBytes(MIB)];
const whole = Buffer.concat(parts);

describe('many bytes', () => {
  it('are joined as Buffer.concat does, with a pause per MiB', () => {
    expect(finish(concatSteps(parts)).equals(whole)).toBe(true);
    expect(finish(concatSteps([]))).toHaveLength(0);
    expect([...concatSteps(parts)]).toHaveLength(6);
  });

  it('are split into views', () => {
    expect([...piecesOf(whole)].map(({ length }) => length)).toEqual([MIB, MIB, MIB, MIB, 12]);
    expect([...piecesOf(Buffer.alloc(0))]).toEqual([]);
  });
});

describe('the byte order mark', () => {
  it('is removed from the beginning of a text, once', () => {
    expect(String(withoutByteOrderMark(Buffer.from('\ufeff\ufeffa')))).toBe('\ufeffa');
    expect(String(withoutByteOrderMark(Buffer.from('a\ufeff')))).toBe('a\ufeff');
    expect(withoutByteOrderMark(Buffer.alloc(0))).toHaveLength(0);
  });
});
