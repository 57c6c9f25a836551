/** Asks the test which of `n` possibilities comes next: 0 to n − 1. */
export type Choose = (n: number) => number;

/** Work that goes on only when the test lets it, one step at a time. */
export class Actor {
  ended = false;
  private error: unknown;
  private go: () => void = () => undefined;
  private arrive: () => void = () => undefined;
  private arrival: Promise<void>;

  /** Begins at once, up to its first step. @param work awaits `step` before each thing that others can see or change */
  constructor(work: (step: () => Promise<void>) => Promise<void>) {
    this.arrival = this.nextArrival();
    const step = (): Promise<void> =>
      new Promise((resolve) => {
        this.go = resolve;
        this.arrive();
      });
    work(step)
      .catch((error: unknown) => {
        this.error = error;
      })
      .finally(() => {
        this.ended = true;
        this.arrive();
      });
  }

  /** Waits until it stands before a step, or has ended. @throws what its work threw */
  async ready(): Promise<void> {
    await this.arrival;
    if (this.error !== undefined) throw this.error;
  }

  /** Lets it take the step before which it stands, and go on to the next. */
  async step(): Promise<void> {
    this.arrival = this.nextArrival();
    this.go();
    await this.ready();
  }

  private nextArrival(): Promise<void> {
    return new Promise((resolve) => {
      this.arrive = resolve;
    });
  }
}

/** Plays a game of choices once for every possible course. @returns the number of courses */
export async function playAll(game: (choose: Choose) => Promise<void>): Promise<number> {
  const course: { chosen: number; of: number }[] = [];
  for (let played = 1; ; played++) {
    let depth = 0;
    await game((of) => {
      course[depth] ??= { chosen: 0, of };
      return course[depth++]?.chosen ?? 0;
    });
    course.length = depth;
    let last = course.at(-1);
    while (last && last.chosen === last.of - 1) {
      course.pop();
      last = course.at(-1);
    }
    if (!last) return played;
    last.chosen++;
  }
}

/** The choices that a list of numbers makes; the first possibility when it is used up. */
export function chooseBy(numbers: readonly number[]): Choose {
  let at = 0;
  return (n) => (numbers[at++] ?? 0) % n;
}
