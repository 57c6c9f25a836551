import { ContractClient, type Subject } from './contract-client.js';
import { describeRegistry } from './contract-registry.js';
import { describeRuns } from './contract-run.js';
import { describeSearch } from './contract-search.js';
import { describeServer } from './contract-server.js';

/** The contract suite: the behaviour of a tracking server that this service relies on. The demo server and MLflow must both pass. */
export function describeTrackingServer(open: () => Promise<Subject>): void {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(async () => {
    await subject?.stop();
  });
  const client = new ContractClient(() => subject);
  describeRuns(client);
  describeSearch(client);
  describeServer(client);
  describeRegistry(client);
}
