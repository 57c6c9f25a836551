import { describeRuns } from './contract-run.js';
import { describeSearch } from './contract-search.js';
import { describeServer } from './contract-server.js';
import { type Subject, Talk } from './contract-talk.js';

/** What the client relies on of a tracking server: every behaviour of the demo server stands here, and MLflow has it too. */
export function describeTrackingServer(open: () => Promise<Subject>): void {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(async () => {
    await subject?.stop();
  });
  const talk = new Talk(() => subject);
  describeRuns(talk);
  describeSearch(talk);
  describeServer(talk);
}
