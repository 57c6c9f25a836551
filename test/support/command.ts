import { execFile } from 'node:child_process';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { runCommand } from '../../src/cli/program.js';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  /** All of its settings: nothing of the test's own environment gets in. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

let running = false;

/** Runs a command in this process to its end. One at a time: the streams and the working directory are those of all. */
export async function runHere(args: readonly string[], { env, cwd }: Surroundings): Promise<Ended> {
  if (running) throw new Error('A command runs already in this process');
  running = true;
  const [out, err] = [new Heard(), new Heard()];
  const before = process.cwd();
  // No terminal, whatever the tests run on. What jest itself prints goes past them.
  const stdout = jest.spyOn(process, 'stdout', 'get').mockReturnValue(out as never);
  const stderr = jest.spyOn(process, 'stderr', 'get').mockReturnValue(err as never);
  const console = jest.replaceProperty(globalThis, 'console', new Console(out, err));
  process.chdir(cwd);
  try {
    const code = await runCommand(args, env);
    return { code, out: out.text, err: err.text };
  } finally {
    process.chdir(before);
    console.restore();
    stderr.mockRestore();
    stdout.mockRestore();
    Logger.overrideLogger(false);
    running = false;
  }
}

/** Runs the built program to its end, as a process of its own. */
export function runProgram(args: readonly string[], { env, cwd }: Surroundings): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env }, cwd };
    execFile(process.execPath, [PROGRAM, ...args], options, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

class Heard extends Writable {
  text = '';

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}
