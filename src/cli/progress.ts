import { SingleBar } from 'cli-progress';

/** Shows progress: a bar on a terminal, lines elsewhere. */
export interface Progress {
  /** @param unit what is counted: `steps`, `days` */
  show(run: string, done: number, all: number, unit: string): void;
  stop(): void;
}

export function showProgress(name: string): Progress {
  if (!process.stdout.isTTY) {
    let lastLine = '';
    return {
      show(run, done, all, unit) {
        const line = `${run}: ${done} of ${all} ${unit}`;
        if (line !== lastLine) console.log(line);
        lastLine = line;
      },
      stop() {},
    };
  }
  const bar = new SingleBar({ format: '{bar} {value}/{total} {unit} {run}' });
  bar.start(1, 0, { run: name, unit: '' });
  return {
    show(run, done, all, unit) {
      bar.setTotal(all);
      bar.update(done, { run, unit });
    },
    stop: () => bar.stop(),
  };
}
