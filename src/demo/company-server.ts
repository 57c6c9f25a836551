import { type Company, runAt } from './company.js';
import type { FakeRun } from './fakes.js';
import { runPage } from './run-page.js';
import { TrackingServer } from './tracking-server.js';

/**
 * Starts the tracking server of a company. Each request first adds the runs that have started since the last one. It also
 * serves a page for links to runs.
 * @param clock ms
 */
export async function serveCompany(
  company: Company,
  clock: () => number = Date.now,
): Promise<TrackingServer> {
  const server = await TrackingServer.start(clock);
  for (const experiment of company.experiments) server.experiments.set(experiment.experiment_id, experiment);
  let addedUntil = company.story.begins;
  let unfinished: FakeRun[] = [];
  const addRuns = () => {
    const now = clock();
    const changed = [...unfinished, ...company.runs(addedUntil, now)];
    for (const run of changed) server.runs.set(run.run_id, runAt(run, now));
    unfinished = changed.filter(({ end_time }) => (end_time ?? 0) > now);
    addedUntil = Math.max(addedUntil, now);
  };
  server.intercept = ({ path }) => {
    addRuns();
    // A demo may run for days, and only tests read the list of requests.
    server.requests.length = 0;
    return runPage(path);
  };
  addRuns();
  return server;
}
