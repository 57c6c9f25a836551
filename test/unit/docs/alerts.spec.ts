import { readFileSync } from 'node:fs';
import { withSamples } from '../../../scripts/alerts-docs.js';

test('docs/alerts.md shows messages as they are sent: `npm run alerts` updates it', () => {
  const page = readFileSync('docs/alerts.md', 'utf8');
  // The formatter may break lines of JSON.
  const compact = (text: string) => text.replace(/\s+/g, '');
  expect(compact(page)).toBe(compact(withSamples(page)));
});
