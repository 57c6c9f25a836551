// Loaded into a measured Node program with `--import`: writes its CPU time (all threads, ms) and its peak memory (MB) to
// USAGE_FILE when it exits.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Of this program alone: `maxRSS` also contains the memory of the process that started it. */
export function peakMemory() {
  try {
    const [, kB] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kB) return Number(kB) / 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}

export function usage() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return { cpu: (userCPUTime + systemCPUTime) / 1e6, memory: peakMemory() };
}

const file = process.env.USAGE_FILE;
if (file && isMainThread) process.on('exit', () => writeFileSync(file, JSON.stringify(usage())));
