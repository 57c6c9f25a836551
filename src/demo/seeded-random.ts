import { createHash } from 'node:crypto';

const BLOCK_BYTES = 256;
const pairCache = new Map<string, readonly [number, number]>();

/**
 * A deterministic random number generator: the numbers depend only on its name, so they are the same on every machine. They
 * are 32-bit words of SHAKE256 over the name and a block counter.
 */
export class SeededRandom {
  private readonly name: string;
  private blockCount = 0;
  private offset = BLOCK_BYTES;
  private block = Buffer.alloc(0);

  constructor(...names: readonly (string | number)[]) {
    this.name = names.join('/');
  }

  /** Uniform in [0, 1). */
  next(): number {
    if (this.offset === BLOCK_BYTES) {
      const hash = createHash('shake256', { outputLength: BLOCK_BYTES });
      this.block = hash.update(`${this.name}#${this.blockCount++}`).digest();
      this.offset = 0;
    }
    const number = this.block.readUInt32LE(this.offset) / 2 ** 32;
    this.offset += 4;
    return number;
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** A uniform integer in [from, to]. */
  integer(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  /** A uniform element of a list. */
  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.next() * list.length)] ?? list[0];
  }

  /**
   * Approximately standard normal: the sum of four uniform numbers (Irwin–Hall distribution, n = 4), scaled to mean 0 and
   * standard deviation 1. Bounded by ±2√3 ≈ ±3.46.
   */
  normal(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * Math.sqrt(3);
  }

  /** The first two numbers of a name, cached. */
  static pair(...names: readonly (string | number)[]): readonly [number, number] {
    const name = names.join('/');
    let pair = pairCache.get(name);
    if (!pair) {
      const random = new SeededRandom(name);
      pair = [random.next(), random.next()];
      pairCache.set(name, pair);
    }
    return pair;
  }

  /** The first hexadecimal digits, at most 64, of the SHA-256 of a name. */
  static hex(digits: number, ...names: readonly (string | number)[]): string {
    return createHash('sha256').update(names.join('/')).digest('hex').slice(0, digits);
  }
}
