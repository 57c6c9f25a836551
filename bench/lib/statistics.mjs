export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + ((sorted[Math.ceil(at)] ?? low) - low) * (at % 1);
}
export const median = (values) => quantile(values, 0.5);

/**
 * Measures several sides in turn, in another order in each round, so that what changes over time hits all of them.
 * @param sides functions by name; each gets the number of the round and returns an object of numbers
 * @returns the results by side, an array each, without the `output` of programs
 */
export async function alternate(sides, rounds, print) {
  const names = Object.keys(sides);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const shift = round % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
      const { output: _, ...result } = await sides[name](round);
      results[name].push(result);
      print(`round ${round + 1} of ${rounds}, ${name}: ${describe(result)}`);
    }
  }
  return results;
}

/** The median of each number in a list of results. */
export function medians(results) {
  const names = Object.keys(results[0]).filter((name) => typeof results[0][name] === 'number');
  return Object.fromEntries(names.map((name) => [name, median(results.map((result) => result[name]))]));
}

/** The median of the ratio in each round. */
export const ratio = (a, b, name) => median(a.map((result, round) => result[name] / b[round][name]));

const describe = (result) =>
  Object.entries(result)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(', ');

/** Three significant digits, and all digits before the decimal point. */
export const number = (value) => {
  const digits = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 1;
  return Number(value.toPrecision(Math.max(3, digits))).toLocaleString('en-US', { maximumFractionDigits: 3 });
};
