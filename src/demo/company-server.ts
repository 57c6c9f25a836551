import { type Company, runAt } from './company.js';
import type { FakeRun } from './fakes.js';
import { runPage } from './run-page.js';
import { TrackingServer } from './tracking-server.js';

/** The tracking server of a company: it knows all runs up to now, and goes on with every request. It has a page for the links to runs. */
export async function serveCompany(
  company: Company,
  clock: () => number = Date.now,
): Promise<TrackingServer> {
  const server = await TrackingServer.start(clock);
  for (const experiment of company.experiments) server.experiments.set(experiment.experiment_id, experiment);
  let until = company.story.begins;
  let unfinished: FakeRun[] = [];
  const goOn = () => {
    const now = clock();
    const known = [...unfinished, ...company.runs(until, now)];
    for (const run of known) server.runs.set(run.run_id, runAt(run, now));
    unfinished = known.filter(({ end_time }) => (end_time ?? 0) > now);
    until = Math.max(until, now);
  };
  server.intercept = ({ path }) => {
    goOn();
    // Nobody looks at them here, and a demo may run for days.
    server.requests.length = 0;
    return runPage(path);
  };
  goOn();
  return server;
}
