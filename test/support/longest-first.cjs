// Jest starts with the largest files. kills.spec.ts is small but takes longest: started last, it would run alone at the end.
const Sequencer = require('@jest/test-sequencer').default;

module.exports = class extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const isLongest = ({ path }) => path.endsWith('kills.spec.ts');
    return [...sorted.filter(isLongest), ...sorted.filter((test) => !isLongest(test))];
  }
};
