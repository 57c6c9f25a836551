import { readFileSync } from 'node:fs';
import { loadSettings } from '../../../src/config/settings.js';

const README = readFileSync('README.md', 'utf8');

describe('the README', () => {
  it('has at most 130 lines', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(130);
  });

  it('shows ten settings with their defaults', () => {
    const defaults: Readonly<Record<string, unknown>> = loadSettings({
      MLFLOW_TRACKING_URI: 'http://localhost:5000',
    });
    const rows = [...README.matchAll(/^\| `([A-Z0-9_]+)` \| (?:`([^`]*)` )?\| .+ \|$/gm)].map(
      ([, name = '', value]) => ({
        name,
        value,
      }),
    );
    expect(rows).toHaveLength(10);
    for (const { name, value } of rows) {
      const [expected] = [defaults[name]].flat();
      const shown = name === 'MLFLOW_TRACKING_URI' || expected === undefined ? undefined : `${expected}`;
      expect([name, value]).toEqual([name, shown]);
    }
  });

  it('names the test command that CI runs', () => {
    expect(README).toContain('## Tests\n\n```sh\nnpm ci && npm test\n```\n');
  });
});
