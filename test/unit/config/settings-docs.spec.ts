import { readFileSync } from 'node:fs';
import { environmentExample, settingsPage } from '../../../scripts/settings-docs.js';
import { describeSettings, SETTING_GROUPS } from '../../../src/config/settings.js';

describe('the documents of the settings', () => {
  it.each([
    ['docs/settings.md', settingsPage],
    ['.env.example', environmentExample],
  ])('%s is up to date (otherwise run `npm run settings`)', (file, generate) => {
    expect(readFileSync(file, 'utf8')).toBe(generate());
  });

  it('contain every setting that is read, once and in the same order', () => {
    const documented = Object.values(SETTING_GROUPS).flatMap((group) => Object.keys(group));
    const env = Object.fromEntries(documented.map((name) => [name, 'x']));
    expect(describeSettings(env).map(({ name }) => name)).toEqual(documented);
    expect(new Set(documented).size).toBe(documented.length);
  });
});
