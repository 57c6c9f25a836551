import type { Light } from '../../../src/domain/model.js';
import { APPLICATION_FAMILIES } from '../../../src/health/application-gauges.js';
import { PROCESS_METRICS } from '../../../src/health/process-metrics.js';
import { SERVICE_METRICS } from '../../../src/health/service-metrics.js';
import { incident } from '../domain/alerts/incidents.js';
import { alertsOf, application, breach, lightsOf, newExposition, subjectOf } from './exposition-inputs.js';

let exposed: ReturnType<typeof newExposition>;
beforeEach(() => {
  exposed = newExposition();
});

describe('with 1,000 applications', () => {
  const names = Array.from({ length: 1_000 }, (_, i) => `app-${String(i).padStart(4, '0')}`);
  const lightOf = (i: number): Light => (i === 999 ? 'critical' : i === 998 ? 'no_data' : 'healthy');
  const many = {
    ...lightsOf(
      names.map((name, i) => application(name, lightOf(i), i === 500 ? 40 : 100)),
      names.map((name, i) => breach(name, 60 + i)),
    ),
    ...alertsOf(
      names.map((name, i) =>
        incident({ subject: subjectOf(name), owner: null, severity: i < 5 ? 'critical' : 'warning' }),
      ),
    ),
  };
  const seriesOf = (lines: readonly string[], name: string) =>
    lines.filter((line) => line.startsWith(`${name}{`));

  it('no metric has more than 101 series, and every metric of applications says how many it folds', async () => {
    const lines = await exposed(many);
    const names = Object.entries(SERVICE_METRICS).filter(([, { labels }]) =>
      (labels as readonly string[]).some((label) => ['application', 'metric'].includes(label)),
    );
    expect(names.map(([name]) => name).sort()).toEqual([...APPLICATION_FAMILIES].sort());
    for (const [name] of names) {
      expect([name, seriesOf(lines, name).length]).toEqual([name, 101]);
      expect(lines).toContain(`folded_applications{family="${name}"} 900`);
    }
    const counts = new Map<string, number>();
    for (const line of lines) {
      const [name = ''] = line.split(/[{ ]/);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 101)).toEqual([]);
  });

  it('no process metric is about an application', () => {
    const labels = Object.values(PROCESS_METRICS).flatMap(({ labels }): readonly string[] => labels);
    expect(labels).not.toContain('application');
    expect(labels).not.toContain('metric');
  });

  it('those that need attention have series of their own, and the rest the worst value of all', async () => {
    const lines = await exposed(many);
    expect(seriesOf(lines, 'application_light').slice(0, 4)).toEqual([
      'application_light{application="app-0999",owner="",light="critical"} 1',
      'application_light{application="app-0998",owner="",light="no_data"} 1',
      'application_light{application="app-0500",owner="",light="healthy"} 1',
      'application_light{application="app-0000",owner="",light="healthy"} 1',
    ]);
    expect(lines).toContain('application_light{application="__other__",owner="",light="healthy"} 1');
    expect(lines).toContain('application_pass_ratio{application="__other__"} 1');
    expect(lines).toContain(
      'seconds_to_breach{application="__other__",owner="",metric="__other__",status="warning"} 160',
    );
    expect(lines).toContain(
      'application_alerts_firing{application="app-0004",owner="",severity="critical"} 1',
    );
    expect(lines).toContain(
      'application_alerts_firing{application="__other__",owner="",severity="warning"} 900',
    );
    expect(lines).toContain('applications{light="healthy"} 998');
  });

  it('an application that is called like the rest belongs to the rest', async () => {
    const lines = await exposed(
      lightsOf([application('__other__', 'critical', 10), application('churn', 'healthy', 100)]),
    );
    expect(seriesOf(lines, 'application_light')).toEqual([
      'application_light{application="churn",owner="",light="healthy"} 1',
      'application_light{application="__other__",owner="",light="critical"} 1',
    ]);
    expect(lines).toContain('folded_applications{family="application_light"} 1');
  });
});
