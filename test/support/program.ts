import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The built program as a child process. */
export class Program {
  /** All lines so far, of both streams. */
  readonly lines: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly waiting = new Set<() => void>();

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on('line', (line) => {
        this.lines.push(line);
        for (const look of this.waiting) look();
      });
    }
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /**
   * @param env all of it, beside PATH: nothing of the test's own environment gets in
   * @param file another program than the service's own
   */
  static start(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    file: string = PROGRAM,
  ): Program {
    const { PATH = '', HOME = '' } = process.env;
    return new Program(
      spawn(process.execPath, [file, ...args], {
        env: { PATH, HOME, ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
  }

  /** Writes one line into its input. */
  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first line, also of those already printed, that matches. @throws {Error} with all lines if the program ends without it */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        for (const line of this.lines) {
          const found = pattern.exec(line);
          if (!found) continue;
          this.waiting.delete(look);
          resolve(found);
          return;
        }
      };
      this.waiting.add(look);
      look();
      this.exited.then(() => reject(new Error(`No line ${pattern} in:\n${this.lines.join('\n')}`)));
    });
  }

  /** Sends the signal and waits for the end. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.child.kill(signal);
    return this.exited;
  }
}
