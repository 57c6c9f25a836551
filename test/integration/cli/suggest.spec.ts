import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Commands, WEEK } from './commands.js';

let commands: Commands;
beforeEach(async () => {
  commands = await Commands.open();
});
afterEach(() => commands.close());

describe('mlflow-monitor suggest', () => {
  it('writes a catalog whose thresholds mark as many runs as predicted', async () => {
    await (await commands.openServiceWithHistory()).close();
    const { code, out } = await commands.run(['suggest', '--out', 'thresholds.yaml']);
    expect(out).toContain('thresholds.yaml: thresholds for 1 of 3 metrics.');
    expect(out).toContain('Without a known direction: 1.');
    expect(out).toContain('With too few or too similar values: 1.');
    expect(code).toBe(0);
    const text = await readFile(join(commands.folder, 'thresholds.yaml'), 'utf8');
    expect(text).toContain('# Thresholds suggested from 140 runs, 2026-02-01 to 2026-02-07.');
    // 139 valid values from 0.9 to 0.949: the first 40 thousandths three times each (one of them is NaN), the others twice.
    // The quantiles 0.01 and 0.05 are at the sorted positions 1.38 and 6.9.
    expect(text).toContain('accuracy: 139 values, 1 invalid, 0.9 to 0.949, median 0.923.');
    expect(text).toContain('{ metric_name: accuracy, critical_threshold: 0.9, warning_threshold: 0.902 }');
    expect(text).toContain('The limits mark 0 critical (0.0 %), 6 warning (4.3 %).');
    expect(text).toMatch(/# entropy: 140 values, 0 to 139, median 69.5. Which direction is better\?/);
    expect(text).toMatch(/# rare_loss: 7 values, .* Too few values/);

    const catalog = { METRICS_API_URL: 'file:thresholds.yaml', THRESHOLDS_API_URL: 'file:thresholds.yaml' };
    expect((await commands.run(['validate'], catalog)).out).toMatch(/ok +Catalog +1 metrics, 1 thresholds/);
    expect((await commands.run(['backfill', ...WEEK], catalog)).code).toBe(0);
    expect(await commands.statuses('accuracy')).toEqual({ healthy: 133, warning: 6, invalid: 1 });
  });

  it('reads while a service is running, and never overwrites a file', async () => {
    await writeFile(join(commands.folder, 'mine.yaml'), 'mine');
    const service = await commands.openServiceWithHistory();
    const existing = await commands.run(['suggest', '--out', 'mine.yaml']);
    const printed = await commands.run(['suggest']);
    await service.close();
    expect([existing.code, existing.err]).toEqual([1, expect.stringContaining('mine.yaml already exists')]);
    expect(await readFile(join(commands.folder, 'mine.yaml'), 'utf8')).toBe('mine');
    expect([printed.code, printed.out]).toEqual([0, expect.stringContaining('metric_name: accuracy')]);
  });

  it('reports that there is no history, and creates nothing', async () => {
    const empty = join(commands.folder, 'empty');
    const { code, err } = await commands.run(['suggest'], { STORAGE_DIR: empty });
    expect([code, err]).toEqual([1, expect.stringContaining(`No history in folder ${empty} yet`)]);
    await expect(access(empty)).rejects.toThrow('ENOENT');
  });
});

describe('mlflow-monitor suggest --apply', () => {
  /** Adds an application on another level, in an experiment of its own. */
  function addFraud(): void {
    const { experiment_id } = commands.mlflow.experiment('fraud');
    for (const { start_time, metrics } of [...commands.mlflow.runs.values()].slice(0, 70)) {
      const lower = metrics.map((each) => ({ ...each, value: each.value - 0.5 }));
      commands.mlflow.run({
        experiment_id,
        start_time,
        metrics: lower.filter(({ key }) => key === 'accuracy'),
      });
    }
  }

  it('adds rows to the catalog file for metrics without limits, also per application, and prints the diff', async () => {
    addFraud();
    await (await commands.openServiceWithHistory()).close();
    const catalog = join(commands.folder, 'catalog.yaml');
    await writeFile(catalog, '# Ours\nthresholds:\n  - { metric_name: rare_loss, critical_threshold: 9 }\n');
    const env = { METRICS_API_URL: 'file:catalog.yaml', THRESHOLDS_API_URL: 'file:catalog.yaml' };
    const printed = (await commands.run(['suggest'])).out;
    const predicted = /fraud differs: .* mark (\d+) critical .*, (\d+) warning/.exec(printed);
    const { code, out } = await commands.run(['suggest', '--apply'], env);
    expect(code).toBe(0);
    expect(out).toMatch(/^\+ {2}- \{"metric_name":"accuracy","experiment_id":"2","critical_threshold"/m);
    expect(out).toMatch(/catalog\.yaml: 2 rows added\.\n$/);
    const text = await readFile(catalog, 'utf8');
    expect(
      text.startsWith('# Ours\nthresholds:\n  - { metric_name: rare_loss, critical_threshold: 9 }\n'),
    ).toBe(true);
    // The metrics have limits now, so a second time changes nothing.
    expect((await commands.run(['suggest', '--apply'], env)).out).toContain('catalog.yaml: nothing to add.');
    expect(await readFile(catalog, 'utf8')).toBe(text);
    expect((await commands.run(['backfill', ...WEEK], env)).code).toBe(0);
    const [, critical, warning] = predicted ?? [];
    const { critical: red = 0, warning: yellow = 0 } = await commands.statuses('accuracy', 'fraud');
    expect([red, yellow]).toEqual([Number(critical), Number(warning)]);
    expect(yellow).toBeGreaterThan(0);
  });

  it('derives limits from the median and its deviation if asked to', async () => {
    await (await commands.openServiceWithHistory()).close();
    const { out } = await commands.run(['suggest', '--method', 'mad']);
    expect(out).toContain('robust standard deviations');
    // Median 0.923 and MAD 0.012: five and three times 1.4826 · 0.012 below it.
    expect(out).toContain('{ metric_name: accuracy, critical_threshold: 0.834, warning_threshold: 0.8696 }');
    expect(out).toContain('The limits mark 0 critical (0.0 %), 0 warning (0.0 %).');
  });

  it('needs a catalog in one file', async () => {
    await (await commands.openServiceWithHistory()).close();
    const { code, err } = await commands.run(['suggest', '--apply']);
    expect([code, err]).toEqual([1, expect.stringContaining('--apply needs a catalog in one file')]);
    const both = await commands.run(['suggest', '--apply', '--out', 'x.yaml']);
    expect(both.code).toBe(1);
  });
});
