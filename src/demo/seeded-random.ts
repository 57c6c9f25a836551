import { createHash } from 'node:crypto';

const BYTES = 256;
const pairs = new Map<string, readonly [number, number]>();

/** Numbers that depend on nothing but a name: the same on every machine and at every start. */
export class SeededRandom {
  private readonly name: string;
  private block = 0;
  private at = BYTES;
  private bytes = Buffer.alloc(0);

  constructor(...names: readonly (string | number)[]) {
    this.name = names.join('/');
  }

  /** Even in [0, 1). */
  next(): number {
    if (this.at === BYTES) {
      const hash = createHash('shake256', { outputLength: BYTES });
      this.bytes = hash.update(`${this.name}#${this.block++}`).digest();
      this.at = 0;
    }
    const number = this.bytes.readUInt32LE(this.at) / 2 ** 32;
    this.at += 4;
    return number;
  }

  /** Even in [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** Even among the whole numbers from..to, both included. */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.next() * list.length)] ?? list[0];
  }

  /** A bell of mean 0 and standard deviation 1 that never leaves ±3.5: the sum of four even numbers. */
  bell(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * Math.sqrt(3);
  }

  /** The first two numbers of a name that is asked for again and again. */
  static pair(...names: readonly (string | number)[]): readonly [number, number] {
    const name = names.join('/');
    let found = pairs.get(name);
    if (!found) {
      const chance = new SeededRandom(name);
      found = [chance.next(), chance.next()];
      pairs.set(name, found);
    }
    return found;
  }

  /** Lower-case hexadecimal digits, at most 64. */
  static hex(digits: number, ...names: readonly (string | number)[]): string {
    return createHash('sha256').update(names.join('/')).digest('hex').slice(0, digits);
  }
}
