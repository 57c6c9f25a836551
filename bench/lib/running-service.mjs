import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../test/support/redis-server.ts';
import { cpuOf, startService } from './processes.mjs';

const START_MS = 600_000;

/** The built service as a process of its own, and the time until its page answers. */
export class RunningService {
  constructor({ child, closed, output }, url) {
    this.child = child;
    this.closed = closed;
    this.output = output;
    this.url = url;
  }

  /** @returns the service, and the seconds from the start of the process to the first response of `path` */
  static async start(settings, cwd, path = '/api/v1/platform/current') {
    const port = await freePort();
    const start = performance.now();
    const process = startService({ ...settings, PORT: String(port) }, cwd);
    const service = new RunningService(process, `http://127.0.0.1:${port}`);
    while ((await service.status(path)) !== 200) {
      if (process.child.exitCode !== null || performance.now() - start > START_MS)
        throw new Error(`The service did not start:\n${process.output()}`);
      await wait(10);
    }
    return { service, seconds: (performance.now() - start) / 1000 };
  }

  async status(path) {
    try {
      const response = await fetch(this.url + path);
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined;
    }
  }

  /** CPU seconds so far, all threads. */
  cpu() {
    return cpuOf(this.child.pid);
  }

  /** The number of pipeline runs that this process has finished; those that failed are an error. */
  async finishedRuns() {
    const response = await fetch(`${this.url}/metrics`);
    const runs = [
      ...(await response.text()).matchAll(/^mlflow_monitor_pipeline_runs_total\{(.*)\} (\d+)$/gm),
    ];
    const failed = runs.find(([, labels, count]) => labels.includes('"failed"') && Number(count) > 0);
    if (failed) throw new Error(`A pipeline run failed:\n${this.output()}`);
    return runs.reduce((sum, [, , count]) => sum + Number(count), 0);
  }

  async finished(runs) {
    while ((await this.finishedRuns()) < runs) await wait(50);
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.closed;
  }
}
