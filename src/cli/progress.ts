import { SingleBar } from 'cli-progress';

/** Shows how far something is: a bar on a terminal, lines elsewhere. */
export interface Progress {
  /** @param of what is counted: `steps`, `days` */
  show(run: string, done: number, all: number, of: string): void;
  stop(): void;
}

export function showProgress(name: string): Progress {
  if (!process.stdout.isTTY) {
    let shown = '';
    return {
      show(run, done, all, of) {
        const line = `${run}: ${done} of ${all} ${of}`;
        if (line !== shown) console.log(line);
        shown = line;
      },
      stop() {},
    };
  }
  const bar = new SingleBar({ format: '{bar} {value}/{total} {of} {run}' });
  bar.start(1, 0, { run: name, of: '' });
  return {
    show(run, done, all, of) {
      bar.setTotal(all);
      bar.update(done, { run, of });
    },
    stop: () => bar.stop(),
  };
}
