import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onEnd, runProgram } from './processes.mjs';

const git = (root, ...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();

const build = (folder) => runProgram('npm', ['run', '-s', 'build'], folder);

/**
 * Builds a revision in a temporary worktree, with the dependencies of the working tree.
 * @param {string | undefined} revision `undefined` builds the working tree itself
 * @returns {Promise<{ dist: string, name: string }>}
 */
export async function buildRevision(root, revision) {
  if (revision === undefined) {
    await build(root);
    return { dist: join(root, 'dist'), name: 'the working tree' };
  }
  const commit = git(root, 'rev-parse', '--verify', '--short', `${revision}^{commit}`);
  const parent = await mkdtemp(join(tmpdir(), 'compare-build-'));
  const folder = join(parent, commit);
  onEnd(async () => {
    if (existsSync(folder)) git(root, 'worktree', 'remove', '--force', folder);
    await rm(parent, { recursive: true, force: true });
  });
  git(root, 'worktree', 'add', '--quiet', '--detach', folder, commit);
  if (git(root, 'diff', '--name-only', commit, '--', 'package-lock.json'))
    console.log(
      `Note: ${commit} is built with the dependencies of the working tree, although its package-lock.json differs`,
    );
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await build(folder);
  return { dist: join(folder, 'dist'), name: commit };
}
