// A Jest reporter: writes the results of a long run to test/REPORT.md.
const { execFileSync } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const { cpus } = require('node:os');
const { join, relative } = require('node:path');

const ROOT = join(__dirname, '../..');
/** The titles of kills.spec.ts. */
const KILL = /^(SIG\w+) at "(.+)" \((\w+)\)/;
const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
const seconds = (ms) => ((ms ?? 0) / 1000).toFixed(1);
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const executed = ({ testResults }) =>
  testResults.filter(({ status }) => status === 'passed' || status === 'failed');
const failures = (tests) => tests.filter(({ status }) => status === 'failed').length;

/** The duration of each case in seconds: one row per boundary, one column per signal and queue. */
function kills(tests) {
  const columns = new Set();
  const rows = new Map();
  for (const { title, status, duration } of tests) {
    const [, signal, boundary, backend] = KILL.exec(title) ?? [];
    if (!signal) continue;
    const column = `${signal}, ${backend}`;
    columns.add(column);
    if (!rows.has(boundary)) rows.set(boundary, new Map());
    rows.get(boundary).set(column, `${status === 'failed' ? 'FAILED ' : ''}${seconds(duration)}`);
  }
  if (rows.size === 0) return '';
  const lines = [...rows].map(([boundary, cells]) => [
    boundary,
    ...[...columns].map((column) => cells.get(column) ?? ''),
  ]);
  return `\n## Kills: duration of each case in s, several in parallel\n\n${table(['boundary', ...columns], lines)}\n`;
}

module.exports = class LongReport {
  onRunComplete(_contexts, { testResults, startTime }) {
    const files = testResults
      .map((result) => ({ name: relative(ROOT, result.testFilePath), tests: executed(result), result }))
      .filter(({ tests, result }) => tests.length > 0 || result.testExecError)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const tests = files.flatMap((file) => file.tests);
    const failed = failures(tests) + files.filter(({ result }) => result.testExecError).length;
    const changed = git('status', '--porcelain', '--', '.', ':!test/REPORT.md') ? ' with changes' : '';
    const overview = table(
      ['commit', 'started', 'Node.js', 'machine', 'result'],
      [
        [
          `${git('rev-parse', '--short=12', 'HEAD')}${changed}`,
          new Date(startTime).toISOString().slice(0, 16),
          process.version,
          `${cpus().length} × ${cpus()[0]?.model ?? ''}`.trim(),
          `${tests.length - failures(tests)} passed, ${failed} failed in ${seconds(Date.now() - startTime)} s`,
        ],
      ],
    );
    const lines = files.map((file) => [
      file.name,
      file.tests.length,
      failures(file.tests),
      seconds(file.result.perfStats.end - file.result.perfStats.start),
    ]);
    writeFileSync(
      join(ROOT, 'test/REPORT.md'),
      `# The last long run\n\nWritten by \`npm run test:long\`.\n\n${overview}\n${kills(tests)}\n## Files\n\n${table(['file', 'tests', 'failed', 's'], lines)}\n`,
    );
  }
};
