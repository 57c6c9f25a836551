/** Chooses which of `n` possibilities comes next: 0 to n − 1. */
export type Choose = (n: number) => number;

/** Work that the test executes step by step. */
export class Actor {
  ended = false;
  private error: unknown;
  private resume: () => void = () => undefined;
  private reportReady: () => void = () => undefined;
  private nextReady: Promise<void>;

  /** Starts at once and pauses before its first step. @param work awaits `step` before each access to shared state */
  constructor(work: (step: () => Promise<void>) => Promise<void>) {
    this.nextReady = this.awaitReady();
    const step = (): Promise<void> =>
      new Promise((resolve) => {
        this.resume = resolve;
        this.reportReady();
      });
    work(step)
      .catch((error: unknown) => {
        this.error = error;
      })
      .finally(() => {
        this.ended = true;
        this.reportReady();
      });
  }

  /** Waits until it is paused before a step or has ended. @throws the error of its work */
  async ready(): Promise<void> {
    await this.nextReady;
    if (this.error !== undefined) throw this.error;
  }

  /** Executes one step and pauses before the next. */
  async step(): Promise<void> {
    this.nextReady = this.awaitReady();
    this.resume();
    await this.ready();
  }

  private awaitReady(): Promise<void> {
    return new Promise((resolve) => {
      this.reportReady = resolve;
    });
  }
}

/** Runs a scenario once for every possible sequence of choices. @returns the number of sequences */
export async function forEverySequence(scenario: (choose: Choose) => Promise<void>): Promise<number> {
  const sequence: { chosen: number; of: number }[] = [];
  for (let runs = 1; ; runs++) {
    let depth = 0;
    await scenario((of) => {
      sequence[depth] ??= { chosen: 0, of };
      return sequence[depth++]?.chosen ?? 0;
    });
    sequence.length = depth;
    let last = sequence.at(-1);
    while (last && last.chosen === last.of - 1) {
      sequence.pop();
      last = sequence.at(-1);
    }
    if (!last) return runs;
    last.chosen++;
  }
}

/** Takes the choices from a list of numbers; after its end, always the first possibility. */
export function chooseFrom(numbers: readonly number[]): Choose {
  let index = 0;
  return (n) => (numbers[index++] ?? 0) % n;
}
