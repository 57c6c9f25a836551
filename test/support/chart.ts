import { findInEnvironment } from './mlflow-server.js';
import { skipSuite } from './skip.js';

/** Tests that render the chart; without Helm's library they are skipped, or fail with `REQUIRE_ALL=1`. */
export function describeChart(name: string, tests: (python: string) => void): void {
  const python = findInEnvironment('python');
  if (python) describe(name, () => tests(python));
  else skipSuite(name, "Helm's library (sh test/independent/venv.sh)");
}
