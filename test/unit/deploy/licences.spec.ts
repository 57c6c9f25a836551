import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Licences that allow to distribute a package unchanged within a work under MIT. */
const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
];
/** Packages that state their licence in the form of old releases of npm, `licenses`, which the lock file omits. */
const OLD_FORM: Readonly<Record<string, string>> = { busboy: 'MIT', streamsearch: 'MIT' };

const { packages } = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        license: z.string().optional(),
        dev: z.boolean().default(false),
        devOptional: z.boolean().default(false),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
const installed = Object.entries(packages).filter(
  ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
);

it('all packages of the image have a licence that allows it', () => {
  expect(installed.length).toBeGreaterThan(100);
  const other = installed.filter(([path, { license }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return !ALLOWED.includes(license ?? OLD_FORM[name] ?? 'none');
  });
  expect(other.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

it.each(Object.entries(OLD_FORM))('%s has the licence %s', (name, licence) => {
  const { licenses } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
  expect(licenses).toEqual([expect.objectContaining({ type: licence })]);
});

it('no package of the image runs a script when it is installed', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  for (const [line] of dockerfile.matchAll(/^RUN npm ci.*$/gm)) expect(line).toContain('--ignore-scripts');
});
