import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { ALERTS, type AlertRule, minutesOf } from '../../support/alert-rules.js';
import { findProgram } from '../../support/find-program.js';
import { skipSuite } from '../../support/skip.js';
import { ALERT_CASES, type AlertCase } from './alert-cases.js';

const run = promisify(execFile);
const inputOf = (series: Readonly<Record<string, string>>) =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }));

/** Tests in the format of promtool: what fires, when it starts to, and what does not. */
function testsOf(each: AlertCase, rule: AlertRule): object[] {
  const { since = 0, labels = {}, summary, description = rule.annotations.description } = each;
  const firesAt = since + minutesOf(rule.for);
  const expected = {
    exp_labels: { ...labels, ...rule.labels },
    exp_annotations: { ...rule.annotations, summary, description },
  };
  const at = (minute: number, exp_alerts: object[]) => ({
    eval_time: `${minute}m`,
    alertname: rule.alert,
    exp_alerts,
  });
  return [
    {
      name: `${rule.alert} fires`,
      interval: '1m',
      input_series: inputOf(each.fires),
      alert_rule_test: [at(firesAt - 1, []), at(firesAt, [expected])],
    },
    {
      name: `${rule.alert} just below its limit`,
      interval: '1m',
      input_series: inputOf(each.below),
      // For as long again: it would still fire if only the beginning differed.
      alert_rule_test: [at(firesAt, []), at(firesAt + minutesOf(rule.for) + 5, [])],
    },
  ];
}

const promtool = findProgram('promtool');
if (promtool) {
  describe('the alert rules', () => {
    it('each fire once their limit is exceeded for long enough, and not just below it', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'promtool-'));
      try {
        // Each rule alone: promtool evaluates all rules of a file every minute, for up to 12 hours.
        const files = await Promise.all(
          ALERTS.map(async (rule) => {
            const rules = join(folder, `${rule.alert}.yml`);
            await writeFile(rules, stringify({ groups: [{ name: 'mlflow-monitor', rules: [rule] }] }));
            const tests = ALERT_CASES.filter(({ alert }) => alert === rule.alert).flatMap((each) =>
              testsOf(each, rule),
            );
            const file = join(folder, `${rule.alert}.test.yml`);
            const content = { rule_files: [rules], evaluation_interval: '1m', tests };
            await writeFile(file, stringify(content, { aliasDuplicateObjects: false }));
            return file;
          }),
        );
        const { stdout } = await run(promtool, ['test', 'rules', ...files]);
        expect(stdout.match(/SUCCESS/g)).toHaveLength(ALERTS.length);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('all have a case, and no case is without an alert', () => {
      const tested = new Set(ALERT_CASES.map(({ alert }) => alert));
      expect([...tested]).toEqual(ALERTS.map(({ alert }) => alert));
    });

    it('and the scrape configuration are valid', async () => {
      const { stdout } = await run(promtool, ['check', 'config', 'deploy/prometheus/prometheus.yml']);
      expect(stdout).toContain(`${ALERTS.length} rules found`);
    });
  });
} else {
  skipSuite('the alert rules', "promtool, from Debian's package prometheus");
}

const amtool = findProgram('amtool');
if (amtool) {
  describe('the example for Alertmanager', () => {
    const EXAMPLE = 'deploy/prometheus/alertmanager.yml';

    it('is valid', async () => {
      const { stdout } = await run(amtool, ['check-config', EXAMPLE]);
      expect(stdout).toContain('SUCCESS');
    });

    it.each([
      ['watchdog', { alertname: 'MlflowMonitorWatchdog', severity: 'none' }],
      ['risk-team', { alertname: 'MlflowMonitorApplicationCritical', owner: 'risk', severity: 'critical' }],
      ['risk-team', { alertname: 'MlflowMonitorBreachSoon', owner: 'risk', severity: 'warning' }],
      ['platform-on-call', { alertname: 'MlflowMonitorDown', severity: 'critical' }],
      ['platform-on-call', { alertname: 'MlflowMonitorApplicationCritical', severity: 'critical' }],
      ['platform-team', { alertname: 'MlflowMonitorQueuePaused', severity: 'warning' }],
      ['platform-team', { alertname: 'MlflowMonitorBreachSoon', owner: 'unknown', severity: 'warning' }],
    ])('%s gets %p', async (receiver, labels) => {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
      const flags = [`--config.file=${EXAMPLE}`, `--verify.receivers=${receiver}`];
      const { stdout } = await run(amtool, ['config', 'routes', 'test', ...flags, ...pairs]);
      expect(stdout).toContain(receiver);
    });

    it('names only alerts that exist', async () => {
      const { inhibit_rules, route } = parse(await readFile(EXAMPLE, 'utf8'));
      const matchers = [...inhibit_rules, ...route.routes]
        .flatMap(({ source_matchers = [], target_matchers = [], matchers = [] }) => [
          ...source_matchers,
          ...target_matchers,
          ...matchers,
        ])
        .flatMap((matcher: string) => /^alertname=~?"(.+)"$/.exec(matcher)?.[1] ?? []);
      const names = matchers.flatMap((pattern) => {
        const [, prefix = '', alternatives] = /^(\w+)(?:\((.+)\))?$/.exec(pattern) ?? [];
        return alternatives ? alternatives.split('|').map((rest) => prefix + rest) : [prefix];
      });
      expect(names.length).toBeGreaterThan(15);
      const known = ALERTS.map(({ alert }) => alert);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
    });
  });
} else {
  skipSuite('the example for Alertmanager', "amtool, from Debian's package prometheus-alertmanager");
}
