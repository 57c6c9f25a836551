import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { settingInfo } from '../src/config/setting.js';
import { SETTING_GROUPS } from '../src/config/settings.js';

interface Row {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly meaning: string;
}

function rowsOf(group: Readonly<Record<string, z.ZodType>>): Row[] {
  return Object.entries(group).map(([name, field]) => {
    const info = settingInfo.get(field);
    const definition: object = field.def;
    const value = 'defaultValue' in definition ? String(definition.defaultValue) : '';
    return { name, value, unit: info?.unit ?? '', meaning: info?.meaning ?? '' };
  });
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The tables of the README, one for each group. */
export function settingsTables(): string {
  return Object.entries(SETTING_GROUPS)
    .map(([title, group]) =>
      [
        `### ${title}`,
        '',
        '| name | default | unit | meaning |',
        '| --- | --- | --- | --- |',
        ...rowsOf(group).map(
          ({ name, value, unit, meaning }) =>
            `| \`${name}\` | ${value ? `\`${cell(value)}\`` : ''} | ${cell(unit)} | ${cell(meaning)} |`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
}

/** A file of all settings with their defaults, commented out. */
export function environmentExample(): string {
  return Object.entries(SETTING_GROUPS)
    .map(([title, group]) =>
      [
        `## ${title}`,
        ...rowsOf(group).map(
          ({ name, value, unit, meaning }) => `# ${meaning} (${unit})\n# ${name}=${value}`,
        ),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n');
}

const MARKED = /<!-- settings -->[\s\S]*<!-- \/settings -->/;

export const withTables = (readme: string): string =>
  readme.replace(MARKED, () => `<!-- settings -->\n\n${settingsTables()}\n\n<!-- /settings -->`);

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync('README.md', withTables(readFileSync('README.md', 'utf8')));
  writeFileSync('.env.example', environmentExample());
}
