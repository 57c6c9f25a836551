// A Jest reporter: lists what was skipped because a program is not installed, directly above the summary.
const SKIPPED = /^(.+): skipped, requires (.+)$/;

module.exports = class SkipReport {
  onRunComplete(_contexts, { testResults }) {
    for (const { title, status } of testResults.flatMap((file) => file.testResults)) {
      const [, tests, requirement] = SKIPPED.exec(title) ?? [];
      if (tests && status === 'pending') {
        process.stderr.write(`Skipped: ${tests}. To run it, install ${requirement}\n`);
      }
    }
  }
};
