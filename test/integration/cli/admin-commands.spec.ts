import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminTokenFor } from '../../../src/cli/admin-commands.js';
import { localTokenFile, parseTokens } from '../../../src/http/admin-tokens.js';
import { Commands } from './commands.js';

let commands: Commands;
beforeAll(async () => {
  commands = await Commands.open();
});
afterAll(() => commands.close());

it('`login` prints a link that signs a browser in, with the token of the folder', async () => {
  const service = await commands.openService();
  try {
    const { code, out } = await commands.run(['login', '--url', service.url]);
    expect(code).toBe(0);
    expect(out.trim()).toMatch(new RegExp(`^${service.url}/login/[\\w-]{43}$`));
    const opened = await service.request('GET', new URL(out.trim()).pathname);
    expect(opened.headers['set-cookie']).toHaveLength(1);
    const elsewhere = await commands.run(['login', '--url', service.url], { STORAGE_DIR: './elsewhere' });
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining('set STORAGE_DIR')]);
  } finally {
    await service.close();
  }
});

it('the token of the folder is sent to this machine only, and a configured one everywhere', async () => {
  const env = { STORAGE_DIR: commands.folder };
  await writeFile(localTokenFile(commands.folder), 'of-this-folder\n');
  for (const host of ['127.0.0.1:3000', 'localhost', '[::1]:80'])
    expect(adminTokenFor(`http://${host}`, undefined, env)).toBe('of-this-folder');
  for (const host of ['monitor.example', '127.0.0.1.evil.example', '192.168.1.7', '127.0.0.1@evil.example'])
    expect(adminTokenFor(`http://${host}`, undefined, env)).toBeUndefined();
  const configured = { ...env, ADMIN_TOKEN: 'configured' };
  expect(adminTokenFor('http://monitor.example', undefined, configured)).toBe('configured');
  expect(adminTokenFor('http://monitor.example', 'of-the-option', configured)).toBe('of-the-option');
});

it('`token` adds a line to the file, which only its owner can read, and prints the token once', async () => {
  const file = join(commands.folder, 'tokens');
  const { code, out } = await commands.run(['token', 'alice smith', '--file', file]);
  expect(code).toBe(0);
  const [, token = ''] = /^ {2}([0-9a-f]{64})$/m.exec(out) ?? [];
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await commands.run(['token', 'bob'], { ADMIN_TOKEN_SHA256_FILE: file })).code).toBe(0);
  expect(parseTokens(await readFile(file, 'utf8')).map(({ name }) => name)).toEqual(['alice smith', 'bob']);
});

it.each([['a#b'], ['-'], ['a\nb'], [' ']])('`token` rejects the name %p', async (name) => {
  const { code, err } = await commands.run(['token', '--', name]);
  expect([code, err]).toEqual([1, expect.stringContaining('Expected a name')]);
});

it('`validate` rejects the digest of an empty text', async () => {
  const file = join(commands.folder, 'empty');
  await writeFile(file, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 alice\n');
  const { out } = await commands.run(['validate'], { ADMIN_TOKEN_SHA256_FILE: file });
  expect(out).toMatch(/change +Access +.*empty text: everybody would be admin/);
});
