import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import {
  type Manifest,
  type Rendered,
  render,
  VALUE_SETS,
  type ValueSet,
  valuesOf,
} from '../../../scripts/chart.js';
import {
  BASES,
  fileOf,
  kubernetesBases,
  prometheusRule,
  RULE_FILE,
} from '../../../scripts/kubernetes-base.js';
import { SETTING_GROUPS } from '../../../src/config/settings.js';
import { createMetrics } from '../../../src/health/metrics.js';
import { ACKNOWLEDGE_MS, DRAIN_MS } from '../../../src/queue/queue-processor.js';
import { MAX_SAVE_MS } from '../../../src/resources.js';
import { describeChart } from '../../support/chart.js';
import { restrictedViolations } from './pod-security.js';

/** The oldest release that the chart supports (`kubeVersion`), and the newest with a schema. */
const RELEASES = ['1.30', '1.37'];

describeChart('the Helm chart', (python) => {
  const sets = new Map<ValueSet, Rendered>();
  const all = () => [...sets.values()].flatMap(({ objects }) => objects);
  const of = (set: ValueSet, kind: string, name = ''): Manifest =>
    sets.get(set)?.objects.find((each) => each.kind === kind && each.metadata.name.endsWith(name));
  const deployments = () => all().filter(({ kind }) => kind === 'Deployment');
  const podsOf = (deployment: Manifest): Manifest => deployment.spec.template;
  const containers = () => deployments().map((each) => podsOf(each).spec.containers[0]);

  beforeAll(async () => {
    const rendered = await render(python, await Promise.all(VALUE_SETS.map(valuesOf)), RELEASES);
    for (const [i, set] of VALUE_SETS.entries()) sets.set(set, rendered[i] as Rendered);
  });

  it.each(VALUE_SETS)('passes lint --strict with the values %s, and the schemas of Kubernetes', (set) => {
    const { lint, error, invalid, objects } = sets.get(set) as Rendered;
    expect({ lint, error, invalid }).toEqual({ lint: [], error: '', invalid: [] });
    expect(objects.length).toBeGreaterThan(4);
  });

  it('supports the releases of Kubernetes that are tested', async () => {
    const chart = parse(await readFile('deploy/helm/mlflow-monitor/Chart.yaml', 'utf8'));
    expect(chart.kubeVersion).toBe(`>=${RELEASES[0]}.0-0`);
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
    expect(sets.get('roles')?.unknown).toEqual([]);
  });

  it('runs under the Pod Security Standard "restricted", with a read-only root and without a token', () => {
    expect(deployments()).toHaveLength(8);
    for (const deployment of deployments()) {
      const { spec } = podsOf(deployment);
      expect(restrictedViolations(spec)).toEqual([]);
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
      const writable = spec.containers[0].volumeMounts.filter(({ readOnly }: Manifest) => !readOnly);
      expect(new Set(writable.map(({ name }: Manifest) => name))).toEqual(new Set(['data']));
    }
  });

  it('probes the service at the addresses made for it, on the port of the image', async () => {
    const dockerfile = await readFile('Dockerfile', 'utf8');
    for (const { startupProbe, readinessProbe, livenessProbe, ports, volumeMounts } of containers()) {
      expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet)).toEqual([
        { path: '/health/startup', port: 'http' },
        { path: '/health/ready', port: 'http' },
        { path: '/health/live', port: 'http' },
      ]);
      expect(dockerfile).toContain(`PORT=${ports[0].containerPort} `);
      expect(dockerfile).toContain(`STORAGE_DIR=${volumeMounts[0].mountPath}\n`);
    }
  });

  it('lets running jobs finish, after requests have stopped', () => {
    for (const deployment of deployments()) {
      const { terminationGracePeriodSeconds, containers: list } = podsOf(deployment).spec;
      const { seconds } = list[0].lifecycle.preStop.sleep;
      const needed = seconds + (DRAIN_MS + ACKNOWLEDGE_MS + MAX_SAVE_MS) / 1000;
      expect(terminationGracePeriodSeconds).toBeGreaterThan(needed);
    }
  });

  it('replaces a single pod and its volume at once, and pods of roles one by one', () => {
    expect(of('single', 'Deployment').spec.strategy).toEqual({ type: 'Recreate' });
    expect(podsOf(of('single', 'Deployment')).spec.volumes[0].persistentVolumeClaim.claimName).toBe(
      of('single', 'PersistentVolumeClaim').metadata.name,
    );
    expect(of('single-bucket', 'PersistentVolumeClaim')).toBeUndefined();
    for (const role of ['api', 'worker', 'scheduler']) {
      const { spec } = of('roles', 'Deployment', role);
      expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
      expect(spec.template.spec.containers[0].env).toContainEqual({ name: 'ROLES', value: role });
    }
  });

  it('limits the disk space of pods without a persistent volume', () => {
    for (const deployment of deployments()) {
      const { containers: list, volumes } = podsOf(deployment).spec;
      const { emptyDir } = volumes.find(({ name }: Manifest) => name === 'data');
      const limit = list[0].resources.limits['ephemeral-storage'];
      expect(limit).toBe(emptyDir?.sizeLimit);
      expect(list[0].resources.limits.memory).toMatch(/Mi|Gi/);
    }
  });

  it('selects its own pods, and no selector is empty', () => {
    for (const { objects } of sets.values()) {
      const labels = objects
        .filter(({ kind }) => kind === 'Deployment')
        .map((each) => podsOf(each).metadata.labels);
      const selected = (selector: Record<string, string>) =>
        labels.filter((own) => Object.entries(selector).every(([key, value]) => own[key] === value)).length;
      for (const { kind, metadata, spec } of objects) {
        const selector = { Service: spec?.selector, PodDisruptionBudget: spec?.selector?.matchLabels };
        const one = selector[kind as keyof typeof selector];
        if (!one) continue;
        const expected = metadata.name.endsWith('-metrics') ? labels.length : 1;
        expect([metadata.name, selected(one)]).toEqual([metadata.name, expected]);
      }
      const policy = objects.find(({ kind }) => kind === 'NetworkPolicy');
      expect(selected(policy.spec.podSelector.matchLabels)).toBe(labels.length);
    }
  });

  it('denies incoming traffic unless peers are named, and leaves outgoing traffic alone unless rules are', () => {
    expect(of('roles', 'NetworkPolicy').spec).toMatchObject({ policyTypes: ['Ingress'] });
    expect(of('roles', 'NetworkPolicy').spec.ingress).toBeUndefined();
    const { ingress, egress, policyTypes } = of('full', 'NetworkPolicy').spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect([ingress[0].from.length, egress[0].ports[0].port, egress.length]).toEqual([2, 53, 2]);
  });

  it('stores secrets in Secrets only, and refers to existing ones by name', () => {
    const password = 'p%40ss';
    const holders = (sets.get('full')?.objects ?? []).filter((each) =>
      JSON.stringify(each).includes(password),
    );
    expect(holders.map(({ kind }) => kind)).toEqual(['Secret']);
    const { env, envFrom } = podsOf(of('full', 'Deployment', 'worker')).spec.containers[0];
    const key = (name: string) => env.find((each: Manifest) => each.name === name).valueFrom.secretKeyRef;
    expect(key('REDIS_URL')).toEqual({ name: 'monitor', key: 'REDIS_URL' });
    expect(key('AWS_SECRET_ACCESS_KEY')).toEqual({ name: 'bucket', key: 'secret' });
    expect(envFrom[0]).toEqual({ secretRef: { name: of('full', 'ExternalSecret').spec.target.name } });
  });

  it('passes numbers as people write them', () => {
    const { env } = podsOf(of('full', 'Deployment', 'api')).spec.containers[0];
    expect(env).toContainEqual({ name: 'BATCH_SIZE', value: '1000000' });
    expect(env).toContainEqual({ name: 'S3_FORCE_PATH_STYLE', value: 'true' });
  });

  it('lets browsers open the service under the hosts of its ingress', () => {
    const { env } = podsOf(of('full', 'Deployment', 'api')).spec.containers[0];
    expect(env).toContainEqual({ name: 'ALLOWED_HOSTS', value: 'monitor.example.com' });
    const alone = podsOf(of('single', 'Deployment')).spec.containers[0];
    expect(alone.env.map(({ name }: Manifest) => name)).not.toContain('ALLOWED_HOSTS');
  });

  it('sets only settings that exist', () => {
    const known = Object.values(SETTING_GROUPS).flatMap((group) => Object.keys(group));
    const names = containers().flatMap(({ env }) => env.map(({ name }: Manifest) => name as string));
    const unknown = new Set(names.filter((name) => !known.includes(name) && !/^(AWS|NODE)_/.test(name)));
    expect([...unknown]).toEqual([]);
  });

  it('scales workers by the age of the oldest job of a delta, without a fixed number', () => {
    const metric = createMetrics().registry.getSingleMetric('mlflow_monitor_queue_oldest_delta_age_seconds');
    expect(metric).toBeDefined();
    const { spec } = of('full', 'ScaledObject');
    expect(spec.scaleTargetRef.name).toBe('monitor-worker');
    expect(spec.minReplicaCount).toBe(1);
    expect(spec.triggers[0].metadata.query).toBe(
      'max(mlflow_monitor_queue_oldest_delta_age_seconds{namespace="ml"})',
    );
    expect(of('full', 'Deployment', 'worker').spec.replicas).toBeUndefined();
    expect(of('full', 'Deployment', 'api').spec.replicas).toBe(3);
    expect(of('full', 'HorizontalPodAutoscaler')).toBeUndefined();
  });

  // Validated once with the models of the operators' own schemas: @kubernetes-models/keda 0.4, prometheus-operator 6 and
  // external-secrets 2. A new field must be checked there.
  it.each([
    [
      'ScaledObject',
      'keda.sh/v1alpha1',
      ['scaleTargetRef', 'pollingInterval', 'minReplicaCount', 'maxReplicaCount', 'triggers'],
    ],
    ['ServiceMonitor', 'monitoring.coreos.com/v1', ['selector', 'endpoints']],
    ['PrometheusRule', 'monitoring.coreos.com/v1', ['groups']],
    ['ExternalSecret', 'external-secrets.io/v1', ['refreshInterval', 'secretStoreRef', 'target', 'data']],
  ])('uses only fields of %s that its operator knows', (kind, version, fields) => {
    const { apiVersion, spec } = of('full', kind);
    expect([apiVersion, ...Object.keys(spec)]).toEqual([version, ...fields]);
  });

  it('contains the alerts and the dashboard of this repository', async () => {
    const alerts = await readFile('deploy/prometheus/alerts.yml', 'utf8');
    const runbook = 'https://git.example.com/mlflow-monitor/docs/runbook.md';
    expect(of('full', 'PrometheusRule').spec).toEqual(parse(alerts.replaceAll('docs/runbook.md', runbook)));
    const { data } = of('full', 'ConfigMap', 'dashboard');
    const files = await readdir('deploy/grafana/dashboards');
    expect(Object.keys(data).sort()).toEqual(files.map((file) => `mlflow-monitor-${file}`).sort());
    for (const file of files) {
      const dashboard = await readFile(`deploy/grafana/dashboards/${file}`, 'utf8');
      expect(JSON.parse(data[`mlflow-monitor-${file}`])).toEqual(JSON.parse(dashboard));
    }
    expect(of('full', 'ServiceMonitor').spec.endpoints[0].relabelings).toEqual([
      { targetLabel: 'job', replacement: 'mlflow-monitor' },
    ]);
  });

  it('says in its notes what to do next', () => {
    expect(sets.get('single')?.notes).toMatch(/port-forward deployment\/mlflow-monitor 3000:3000/);
    expect(sets.get('single')?.notes).toMatch(
      /no thresholds yet[\s\S]*To sign in as admin[\s\S]*mlflow-monitor login/,
    );
    expect(sets.get('full')?.notes).toMatch(/https:\/\/monitor\.example\.com\//);
    expect(sets.get('full')?.notes).not.toMatch(
      /no thresholds|sign in|Admin requests are denied|denies all incoming/,
    );
  });

  it('is what the kustomize bases contain (if not, run `npm run kubernetes`)', async () => {
    const bases = await kubernetesBases(python);
    for (const base of BASES) expect(await readFile(fileOf(base), 'utf8')).toBe(bases.get(base));
    expect(await readFile(RULE_FILE, 'utf8')).toBe(await prometheusRule(python));
  });
});
