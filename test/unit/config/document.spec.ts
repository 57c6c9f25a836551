import { readFileSync } from 'node:fs';
import { environmentExample, withTables } from '../../../scripts/settings-docs.js';

describe('the documents of the settings', () => {
  it('hold what the schema says: else run `npm run settings`', () => {
    const readme = readFileSync('README.md', 'utf8');
    expect(withTables(readme)).toBe(readme);
    expect(readFileSync('.env.example', 'utf8')).toBe(environmentExample());
  });
});
