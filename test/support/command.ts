import { execFile } from 'node:child_process';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { runCommand } from '../../src/cli/program.js';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandOptions {
  /** All of its settings: the test's own environment is not inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

let running = false;

/** Runs a command in this process. One at a time: streams and working directory belong to the whole process. */
export async function runInProcess(
  args: readonly string[],
  { env, cwd }: CommandOptions,
): Promise<CommandResult> {
  if (running) throw new Error('Another command is running in this process');
  running = true;
  const [out, err] = [new CapturedOutput(), new CapturedOutput()];
  const previous = process.cwd();
  // Never a terminal. Jest's own output bypasses these streams.
  const stdout = jest.spyOn(process, 'stdout', 'get').mockReturnValue(out as never);
  const stderr = jest.spyOn(process, 'stderr', 'get').mockReturnValue(err as never);
  const console = jest.replaceProperty(globalThis, 'console', new Console(out, err));
  process.chdir(cwd);
  try {
    const code = await runCommand(args, env);
    return { code, out: out.text, err: err.text };
  } finally {
    process.chdir(previous);
    console.restore();
    stderr.mockRestore();
    stdout.mockRestore();
    Logger.overrideLogger(false);
    running = false;
  }
}

/** Runs the built program as a child process. */
export function runProgram(args: readonly string[], { env, cwd }: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env }, cwd };
    execFile(process.execPath, [PROGRAM, ...args], options, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

class CapturedOutput extends Writable {
  text = '';

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}
