/** Days that are forecast one after another, each when it is ready. */
export class DaysInOrder {
  private readonly days: readonly number[];
  private readonly ready = new Set<number>();
  private readonly finished = new Set<number>();
  private index = 0;
  /** How many of the first days are ready. */
  private readyUntil = 0;

  constructor(days: Iterable<number>) {
    this.days = [...days].sort((a, b) => a - b);
  }

  /** The day that can be forecast now. */
  get next(): number | undefined {
    return this.index < this.readyUntil ? this.days[this.index] : undefined;
  }

  isFinished(day: number): boolean {
    return this.finished.has(day);
  }

  /** @returns the days of which another stage may have become due */
  makeReady(day: number): number[] {
    this.ready.add(day);
    while (this.ready.has(this.days[this.readyUntil] as number)) this.readyUntil++;
    return this.nextDays();
  }

  /** @returns as `makeReady` */
  finish(day: number): number[] {
    this.finished.add(day);
    while (this.finished.has(this.days[this.index] as number)) this.index++;
    return [day, ...this.nextDays()];
  }

  private nextDays(): number[] {
    return this.next === undefined ? [] : [this.next];
  }
}
