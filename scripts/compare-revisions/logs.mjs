import { withoutDurations, withoutNumbers, withoutPlace, withoutRandom } from './normalise.mjs';

/** How often progress is printed depends on the speed. */
const isProgress = (text) => / \d+ of \d+ /.test(text);

/**
 * Reads what a process printed: JSON lines of the log, and plain lines.
 * @param {string} output
 * @param {{ folder: string, dist: string, port?: number }} place where the process ran
 * @returns {{ messages: string[], fields: string[] }} the distinct texts, and the distinct lists of the fields of log lines
 */
export function readLog(output, place) {
  const messages = new Set();
  const fields = new Set();
  for (const line of withoutRandom(withoutPlace(output, place)).split('\n').filter(Boolean)) {
    let text = line;
    try {
      const logged = JSON.parse(line);
      text = String(logged.message);
      fields.add(Object.keys(logged).sort().join(' '));
    } catch {
      // A plain line.
    }
    messages.add(isProgress(text) ? withoutNumbers(text) : withoutDurations(text));
  }
  return { messages: [...messages], fields: [...fields].sort() };
}
