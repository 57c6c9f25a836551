// Writes docs/settings.md and .env.example: `npm run settings`.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { settingInfo } from '../src/config/setting.js';
import { SETTING_GROUPS } from '../src/config/settings.js';
import { code, markdownTable } from './markdown.js';

interface Row {
  readonly name: string;
  /** Empty without a default. */
  readonly value: string;
  readonly unit: string;
  readonly meaning: string;
  readonly secret: boolean;
}

function rowsOf(group: Readonly<Record<string, z.ZodType>>): Row[] {
  return Object.entries(group).map(([name, field]) => {
    const { unit = '', meaning = '', secret = false } = settingInfo.get(field) ?? {};
    const definition: object = field.def;
    const value = 'defaultValue' in definition ? String(definition.defaultValue) : '';
    return { name, value, unit, meaning, secret };
  });
}

const GROUPS = Object.entries(SETTING_GROUPS).map(([title, group]) => ({ title, rows: rowsOf(group) }));

/** docs/settings.md. */
export function settingsPage(): string {
  const secrets = GROUPS.flatMap(({ rows }) => rows).filter(({ secret }) => secret);
  const tables = GROUPS.map(({ title, rows }) => {
    const cells = rows.map(({ name, value, unit, meaning }) => [code(name), code(value), unit, meaning]);
    return `## ${title}\n\n${markdownTable(['name', 'default', 'unit', 'meaning'], cells)}`;
  });
  return [
    '# Settings',
    '<!-- Generated from src/config by `npm run settings`. -->',
    'All settings are environment variables. Only `MLFLOW_TRACKING_URI` is required. The most frequently used come first. `.env.example` contains the same list as a file to copy.',
    [
      '- A wrong value is reported at start, together with the expected form. `mlflow-monitor validate` also tests all connections.',
      '- A blank value counts as unset.',
      `- Secrets are never printed: ${secrets.map(({ name }) => code(name)).join(', ')}, and user names and passwords in URLs.`,
    ].join('\n'),
    'For the topics behind the settings, see [docs/README.md](README.md).',
    ...tables,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** .env.example: all settings with their defaults, commented out. */
export function environmentExample(): string {
  const groups = GROUPS.map(({ title, rows }) =>
    [
      `## ${title}`,
      ...rows.map(({ name, value, unit, meaning }) => `# ${meaning} (${unit})\n# ${name}=${value}`),
    ].join('\n'),
  );
  return `${groups.join('\n\n')}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync('docs/settings.md', settingsPage());
  writeFileSync('.env.example', environmentExample());
}
