// Jest begins with the largest files. The one with the kills is short and takes the longest: begun last, it would end alone.
const Sequencer = require('@jest/test-sequencer').default;

module.exports = class extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const isLongest = ({ path }) => path.endsWith('kills.spec.ts');
    return [...sorted.filter(isLongest), ...sorted.filter((test) => !isLongest(test))];
  }
};
