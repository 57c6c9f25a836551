import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Lets Node.js cache compiled code, which takes half of the time of a start; Node 20 cannot. The folder that Node.js would
 * choose is shared by all users of a machine: whoever creates it first could make the others run their code. This one belongs
 * to the user of the process, or nothing is cached. `NODE_COMPILE_CACHE` names another folder.
 */
export function cacheCompiledCode(): void {
  if (process.env.NODE_COMPILE_CACHE || !('enableCompileCache' in module)) return;
  const folder = ownFolder(tmpdir(), process.getuid?.());
  if (folder) module.enableCompileCache(folder);
}

/**
 * Creates a folder that only its owner can write. Kubernetes may let a group write to all folders of a volume.
 * @param uid undefined: the system has no such ids, and its folders for temporary files belong to users
 * @returns undefined if it cannot be created or belongs to somebody else
 */
export function ownFolder(parent: string, uid: number | undefined): string | undefined {
  const folder = join(parent, `mlflow-monitor-code${uid === undefined ? '' : `-${uid}`}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    return stats.isDirectory() && (uid === undefined || stats.uid === uid) ? folder : undefined;
  } catch {
    return undefined;
  }
}
