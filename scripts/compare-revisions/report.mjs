/** Differences of one group that are printed; the others are only counted. */
const MOST_SHOWN = 5;
const LONGEST = 400;

const short = (value) => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

/** Collects differences and counts what was compared. */
export class Report {
  counts = { objects: 0, answers: 0, commands: 0 };
  /** Differences by the group that they are printed in. */
  #differences = new Map();
  #sentences = new Map();

  /** @param {string} group differences of one group probably have one cause */
  difference(group, where, detail) {
    const known = this.#differences.get(group) ?? [];
    this.#differences.set(group, [...known, { where, detail }]);
  }

  /** Reports a text for people, which may differ on purpose. */
  sentence(where, before, after) {
    const key = JSON.stringify([before, after]);
    const known = this.#sentences.get(key);
    this.#sentences.set(key, { where: known?.where ?? where, before, after, times: (known?.times ?? 0) + 1 });
  }

  /** Reports lines that are in one of two outputs only, in the order in which they were printed. */
  lines(where, before, after) {
    const [old, young] = [new Set(before), new Set(after)];
    const gone = before.filter((line) => !young.has(line));
    const added = after.filter((line) => !old.has(line));
    for (let i = 0; i < Math.max(gone.length, added.length); i++) {
      this.sentence(where, gone[i] ?? '(nothing)', added[i] ?? '(nothing)');
    }
  }

  /** Reports what `compareJson` found. */
  found(group, where, list) {
    for (const { path, before, after, sentence } of list) {
      if (sentence) this.sentence(`${where} ${path}`, before, after);
      else this.difference(group, where, `${path}: ${short(before)} → ${short(after)}`);
    }
  }

  /** @returns the number of differences that fail the comparison */
  print(strict) {
    const sentences = [...this.#sentences.values()];
    const all = [...this.#differences.values()].flat().length;
    if (all > 0) console.log('\nDifferences:');
    for (const [group, list] of this.#differences) {
      console.log(`  ${group}: ${list.length}`);
      for (const { where, detail } of list.slice(0, MOST_SHOWN)) console.log(`    ${where}\n      ${detail}`);
      if (list.length > MOST_SHOWN) console.log(`    … and ${list.length - MOST_SHOWN} more`);
    }
    if (sentences.length > 0) console.log('\nSentences that differ:');
    for (const { where, before, after, times } of sentences) {
      console.log(
        `  ${where}${times > 1 ? ` (${times} times)` : ''}\n    - ${short(before)}\n    + ${short(after)}`,
      );
    }
    const { objects, answers, commands } = this.counts;
    console.log(
      `\ncompared: ${objects} objects, ${answers} REST answers, ${commands} commands, ${all} differences, ${sentences.length} sentences differ`,
    );
    return all + (strict ? sentences.length : 0);
  }
}
