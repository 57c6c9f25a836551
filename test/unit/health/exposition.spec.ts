import { incident } from '../domain/alerts/incidents.js';
import {
  alertsOf,
  application,
  breach,
  FACTS,
  HEALTHY,
  lightsOf,
  newExposition,
  subjectOf,
} from './exposition-inputs.js';

let exposed: ReturnType<typeof newExposition>;
beforeEach(() => {
  exposed = newExposition();
});

describe('updateGauges', () => {
  it('exposes base units: seconds since 1970, ages in seconds, ratios', async () => {
    const lines = await exposed(HEALTHY);
    for (const line of [
      'upstream_up{upstream="store"} 1',
      'upstream_up{upstream="queue"} 1',
      'upstream_up{upstream="mlflow"} 0',
      'upstream_up{upstream="catalog"} 1',
      'upstream_last_success_timestamp_seconds{upstream="mlflow"} 800',
      'upstream_last_success_timestamp_seconds{upstream="store"} 999',
      'pipeline_last_success_timestamp_seconds{kind="delta"} 940.5',
      'pipeline_runs_active{kind="delta"} 1',
      'pipeline_runs_active{kind="backup"} 0',
      'watermark_lag_seconds 300',
      'experiments{state="current"} 1',
      'experiments{state="lagging"} 0',
      'catalog_refused_items 3',
      'queue_jobs{queue="ingestion",state="waiting"} 2',
      'queue_paused{queue="ingestion"} 1',
      'queue_oldest_job_age_seconds{queue="ingestion"} 1.5',
      'queue_oldest_delta_age_seconds{queue="ingestion"} 0.5',
      'queue_may_evict 0',
      'queue_evicted_keys 7',
      'delta_period_seconds 300',
      'pipeline_last_scheduled_timestamp_seconds{kind="delta"} 900',
      'platform_pass_ratio 0.9',
      'platform_coverage_ratio 0.5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).not.toMatch(/last_success_timestamp_seconds\{(kind="backup"|upstream="queue")/);
    expect(lines.join('\n')).not.toMatch(/last_scheduled_timestamp_seconds\{kind="(backup|bootstrap)"/);
  });

  it('removes the metrics of unavailable dependencies', async () => {
    await exposed(HEALTHY);
    const unavailable = { error: 'no response within 1.5 s' };
    const lines = await exposed(
      {
        store: unavailable,
        facts: unavailable,
        alerts: unavailable,
        queues: unavailable,
        eviction: unavailable,
        lights: unavailable,
      },
      { mlflow: undefined },
    );
    const text = lines.join('\n');
    expect(lines).toContain('upstream_up{upstream="store"} 0');
    expect(lines).toContain('upstream_up{upstream="queue"} 0');
    expect(text).not.toMatch(/upstream="(mlflow|catalog)"/);
    expect(text).not.toMatch(
      /^(pipeline_last|pipeline_runs_active|watermark|experiments|catalog|queue|platform|application)/m,
    );
    expect(await exposed(HEALTHY)).toContain('watermark_lag_seconds 300');
  });

  it('exposes no catalog if none is configured, and no status before the first query', async () => {
    expect((await exposed(HEALTHY, { catalogConfigured: false })).join('\n')).not.toMatch(
      /catalog_refused|upstream="catalog"/,
    );
    const catalog = { version: 1 as const, last_success: null, last_error: null, awaited: false, refused: 0 };
    const neverQueried = { ...HEALTHY, facts: { value: { ...FACTS, catalog } } };
    expect((await exposed(neverQueried)).join('\n')).not.toContain('upstream="catalog"');
  });

  it('exposes the catalog as down if its last response was an error', async () => {
    const last_error = { at: 600_000, code: 'catalog_busy', message: 'busy', status: 503 };
    const lines = await exposed({
      ...HEALTHY,
      facts: { value: { ...FACTS, catalog: { ...FACTS.catalog, last_error } } },
    });
    expect(lines).toContain('upstream_up{upstream="catalog"} 0');
    expect(lines).toContain('upstream_last_success_timestamp_seconds{upstream="catalog"} 500');
  });

  it('counts the failing checks of data quality by check and severity', async () => {
    const finding = {
      measured: 1,
      limit: 0,
      affected_rows: 1,
      meaning: '',
      next_step: '',
      sample: '[]',
      since: '',
    };
    const volume = { ...finding, check_name: 'volume' as const, severity: 'warning' as const };
    const quality = [
      { ...volume, application: null },
      { ...volume, application: 'churn' },
    ];
    const lines = await exposed({ ...HEALTHY, facts: { value: { ...FACTS, quality } } });
    expect(lines).toContain('quality_failing{check="volume",severity="warning"} 2');
    expect(lines).toContain('quality_failing{check="volume",severity="error"} 0');
  });

  it('counts what fires, is acknowledged and is muted by severity, and nothing before the first evaluation', async () => {
    const muted = { until: '2026-12-01T00:00:00.000Z', by: 'ana', reason: 'retraining' };
    const acknowledged = { at: '2026-11-28T09:50:00.000Z', by: 'ben' };
    const incidents = [
      incident(),
      incident({ state: 'recovering', acknowledged }),
      incident({ muted, acknowledged }),
      incident({ inhibited_by: 'another' }),
      incident({ state: 'pending' }),
      incident({ state: 'no_data' }),
      incident({ severity: 'warning', muted }),
    ];
    const lines = await exposed({ ...HEALTHY, ...alertsOf(incidents) });
    expect(lines.filter((line) => /^alerts_/.test(line))).toEqual([
      'alerts_firing{severity="critical"} 2',
      'alerts_firing{severity="warning"} 0',
      'alerts_acknowledged{severity="critical"} 1',
      'alerts_acknowledged{severity="warning"} 0',
      'alerts_muted{severity="critical"} 1',
      'alerts_muted{severity="warning"} 1',
    ]);
    expect((await exposed(HEALTHY)).filter((line) => /^alerts_/.test(line))).toEqual([]);
  });

  it('exposes the light of the platform as a series per light, and that of an application as a label', async () => {
    const lines = await exposed(
      lightsOf([application('churn', 'critical', 40, 'risk'), application('fraud', 'no_data')]),
    );
    expect(lines.filter((line) => line.startsWith('platform_light'))).toEqual([
      'platform_light{light="no_data"} 0',
      'platform_light{light="critical"} 1',
      'platform_light{light="warning"} 0',
      'platform_light{light="unmonitored"} 0',
      'platform_light{light="healthy"} 0',
    ]);
    expect(lines.filter((line) => line.startsWith('application_light'))).toEqual([
      'application_light{application="churn",owner="risk",light="critical"} 1',
      'application_light{application="fraud",owner="",light="no_data"} 1',
    ]);
    expect(lines).toContain('applications{light="no_data"} 1');
    expect(lines.filter((line) => line.startsWith('application_pass_ratio'))).toEqual([
      'application_pass_ratio{application="churn"} 0.4',
    ]);
  });

  it('takes the owner of an incident before that of the tags, for owners.yaml overrides tags', async () => {
    const incidents = [incident({ owner: 'fraud-team', subject: subjectOf('churn') })];
    const lines = await exposed({
      ...lightsOf([application('churn', 'critical', 40, 'risk')]),
      ...alertsOf(incidents),
    });
    expect(lines).toContain('application_light{application="churn",owner="fraud-team",light="critical"} 1');
  });

  it('counts the alerts of an application that people are notified of, by their worst severity', async () => {
    const lines = await exposed({
      ...HEALTHY,
      ...alertsOf([
        incident({ subject: subjectOf('churn'), severity: 'warning', owner: 'risk' }),
        incident({ subject: subjectOf('churn'), owner: 'risk' }),
        incident({ subject: subjectOf('fraud'), digest_only: true }),
        incident({ subject: subjectOf('fraud'), inhibited_by: 'another' }),
        incident({ subject: subjectOf('fraud'), state: 'pending' }),
        incident({ subject: { ...subjectOf('x'), scope: 'service', application: null } }),
      ]),
    });
    expect(lines.filter((line) => line.startsWith('application_alerts_firing'))).toEqual([
      'application_alerts_firing{application="churn",owner="risk",severity="critical"} 2',
    ]);
  });

  it('removes the series of applications that have vanished', async () => {
    await exposed({
      ...lightsOf([application('churn', 'critical', 40)], [breach('churn', 60)]),
      ...alertsOf([incident({ subject: subjectOf('churn') })]),
    });
    const lines = await exposed({ ...lightsOf([application('fraud', 'healthy', 100)]), ...alertsOf([]) });
    expect(lines.join('\n')).not.toContain('churn');
    expect(lines).toContain('application_light{application="fraud",owner="",light="healthy"} 1');
  });

  it('never exposes a negative time to a breach', async () => {
    const lines = await exposed(lightsOf([], [breach('churn', -60), breach('fraud', 60)]));
    expect(lines.filter((line) => line.startsWith('seconds_to_breach'))).toEqual([
      'seconds_to_breach{application="churn",owner="",metric="recall",status="warning"} 0',
      'seconds_to_breach{application="fraud",owner="",metric="recall",status="warning"} 60',
    ]);
  });
});
