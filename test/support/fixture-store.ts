import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = resolve('test/fixtures');

/** The releases that have written a fixture, such as `0.1`, the first one, or `0.1-rules-2`. */
export async function fixtureVersions(): Promise<string[]> {
  const names = await readdir(FOLDER);
  return names.flatMap((name) => /^store-(.+)\.json\.gz$/.exec(name)?.[1] ?? []).sort();
}

/** The objects of the store that a release has written, by key. */
export async function readFixture(version: string): Promise<Map<string, Buffer>> {
  const text = gunzipSync(await readFile(join(FOLDER, `store-${version}.json.gz`))).toString();
  const objects = JSON.parse(text) as Record<string, string>;
  return new Map(Object.entries(objects).map(([key, body]) => [key, Buffer.from(body, 'base64')]));
}

/** @returns a new folder for `openService`, with the store that a release has written */
export async function unpackFixture(version: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixture-'));
  for (const [key, body] of await readFixture(version)) {
    const file = join(folder, 'store', key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, body);
  }
  return folder;
}
