// A Jest reporter: writes the figures of the tests in test/abuse to test/abuse/REPORT.md, if it is a long run.
const { execFileSync } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } = require('node:fs');
const { cpus, loadavg, tmpdir } = require('node:os');
const { join } = require('node:path');

const ROOT = join(__dirname, '../..');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

module.exports = class FiguresReport {
  onRunStart() {
    this.folder = mkdtempSync(join(tmpdir(), 'figures-'));
    // Read by test/abuse/upstream/watched-service.ts; workers inherit it.
    process.env.FIGURES_FILE = join(this.folder, 'figures.jsonl');
  }

  onRunComplete() {
    const file = process.env.FIGURES_FILE;
    const figures = existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
    rmSync(this.folder, { recursive: true, force: true });
    if (figures.length === 0) return;
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? ''}`.trim();
    const rows = figures
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, peak, longest, requests, seconds }) => [name, peak, longest, requests, seconds]);
    const text = [
      '# What heavy and broken responses cost',
      'Written by `npm run test:long`. Each case is one start of the built service with default settings until its first pipeline run has finished. The longest silence is the longest time of a response to `GET /health/live`, polled every 20 ms by another process. The limit of memory is `DUCKDB_MEMORY_LIMIT` (954 MiB) plus the overhead in [docs/storage.md](../../docs/storage.md#memory).',
      table(
        ['commit', 'date', 'Node.js', 'machine', 'load at the end'],
        [[commit, new Date().toISOString().slice(0, 16), process.version, machine, loadavg()[0].toFixed(1)]],
      ),
      table(['case', 'peak, MiB', 'longest silence, ms', 'polls', 's'], rows),
    ];
    writeFileSync(join(ROOT, 'test/abuse/REPORT.md'), `${text.join('\n\n')}\n`);
  }
};
