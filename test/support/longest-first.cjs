// Jest starts with the files that took longest, and on a clean clone with the largest, which is another order: a long test would
// start last and run alone. So these start first, in this order, and unit tests last.
const { existsSync } = require('node:fs');
const { join, sep } = require('node:path');
const Sequencer = require('@jest/test-sequencer').default;

const LONGEST = [
  'faults/kills',
  'e2e/scripted-day',
  'faults/parts',
  'e2e/same-bytes',
  'e2e/program',
  'e2e/partition-files',
  'e2e/rolling-restart',
  'e2e/platform',
  'e2e/demo',
  'e2e/alerts-month',
  'integration/app/work-counts',
  'integration/app/many-experiments',
  'integration/alerts/replay',
  'integration/alerts/evaluation',
  'integration/app/invalid-documents',
  'integration/cli/suggest',
].map((name) => join(__dirname, '..', `${name}.spec.ts`));

const UNIT = `${join(__dirname, '../unit')}${sep}`;

for (const path of LONGEST) if (!existsSync(path)) throw new Error(`There is no ${path}: change the list`);

function rank({ path }) {
  const at = LONGEST.indexOf(path);
  if (at >= 0) return at;
  return path.startsWith(UNIT) ? LONGEST.length + 1 : LONGEST.length;
}

module.exports = class extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
};
