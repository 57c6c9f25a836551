import { totalmem } from 'node:os';

const MIB = 1024 ** 2;
/** What a process needs besides DuckDB, on days with a million metric rows: docs/sizing.md. */
const OTHER_MIB = 1024;
/** A page of `MAX_PAGE_MB` may need as much: docs/storage.md#memory. */
const LEAST_MIB = 512;
/** Without a container, in DuckDB's notation. */
const DEFAULT = '1GB';

/**
 * The memory that DuckDB may use if nobody has set it, in DuckDB's notation: what the memory limit of the container leaves.
 * @param limit of the cgroup (v1 or v2), bytes. Without one it is 0, or more than the machine has: 2⁶⁴ where seen
 * @param total memory of the machine, bytes
 */
export function defaultDuckMemory(limit = process.constrainedMemory(), total = totalmem()): string {
  if (limit <= 0 || limit >= total) return DEFAULT;
  return `${Math.max(LEAST_MIB, Math.floor(limit / MIB) - OTHER_MIB)}MiB`;
}
