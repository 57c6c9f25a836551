import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The built program as a child process. */
export class Program {
  /** All lines of both streams so far. */
  readonly lines: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly lineListeners = new Set<() => void>();

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on('line', (line) => {
        this.lines.push(line);
        for (const onLine of this.lineListeners) onLine();
      });
    }
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /**
   * @param env the whole environment, apart from PATH and HOME: the test's own is not inherited
   * @param file the program, by default the service
   * @param through a command that becomes the program, such as `setpriv`
   */
  static start(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    file: string = PROGRAM,
    through: readonly string[] = [],
  ): Program {
    const { PATH = '', HOME = '' } = process.env;
    const [command = '', ...rest] = [...through, process.execPath, file, ...args];
    return new Program(
      spawn(command, rest, {
        env: { PATH, HOME, ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
  }

  /** Writes a line to its standard input. */
  writeLine(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first matching line, whether printed already or later. @throws {Error} with all lines if the program exits without it */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = () => {
        for (const line of this.lines) {
          const match = pattern.exec(line);
          if (!match) continue;
          this.lineListeners.delete(check);
          resolve(match);
          return;
        }
      };
      this.lineListeners.add(check);
      check();
      this.exited.then(() => reject(new Error(`No line ${pattern} in:\n${this.lines.join('\n')}`)));
    });
  }

  /** Sends the signal and waits for the exit. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.child.kill(signal);
    return this.exited;
  }
}
