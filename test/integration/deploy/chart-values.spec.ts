import { render, type Values } from '../../../scripts/chart.js';
import { settingInfo } from '../../../src/config/setting.js';
import { SETTING_GROUPS } from '../../../src/config/settings.js';
import { describeChart } from '../../support/chart.js';

const IMAGE = { image: { repository: 'registry.example.com/mlflow-monitor' } };
const URI = { MLFLOW_TRACKING_URI: 'http://mlflow:5000' };
const SINGLE = { ...IMAGE, settings: URI };
const REDIS = { REDIS_URL: { secretName: 'redis', secretKey: 'url' } };
const ROLES = { ...IMAGE, mode: 'roles', settings: { ...URI, S3_BUCKET: 'b' }, secrets: REDIS };
const KEDA = { enabled: true, prometheusAddress: 'http://prometheus:9090' };
const PEER = { networkPolicy: { from: [{ podSelector: {} }] } };
const ON = { enabled: true };

/** Values that Helm refuses, and what it says. */
const REFUSED: readonly (readonly [what: string, values: Values, sentence: RegExp])[] = [
  ['no image', { settings: URI }, /image\.repository is empty: no public image is published/],
  ['no tracking server', IMAGE, /settings\.MLFLOW_TRACKING_URI is missing/],
  ['a port of its own', { ...SINGLE, settings: { ...URI, PORT: 1 } }, /PORT in settings is set by the image/],
  [
    'a password in settings',
    { ...SINGLE, settings: { ...URI, MLFLOW_TRACKING_PASSWORD: 'x' } },
    /MLFLOW_TRACKING_PASSWORD is a secret: move it to secrets/,
  ],
  [
    'a password in a URL',
    { ...SINGLE, settings: { MLFLOW_TRACKING_URI: 'http://me:geheim@mlflow' } },
    /has a user name or password in its URL/,
  ],
  [
    'a setting twice',
    { ...ROLES, settings: { ...ROLES.settings, REDIS_URL: 'redis://a' } },
    /REDIS_URL is set more than once \(settings, secrets\)/,
  ],
  [
    'a setting again as a variable',
    { ...SINGLE, extraEnv: [{ name: 'MLFLOW_TRACKING_URI', value: 'http://other:5000' }] },
    /MLFLOW_TRACKING_URI is set more than once \(settings, extraEnv\)/,
  ],
  [
    'a variable that the mode sets',
    { ...ROLES, extraEnv: [{ name: 'ROLES', value: 'api' }] },
    /ROLES in extraEnv is set by the image or the chart/,
  ],
  [
    'a password among the variables',
    { ...SINGLE, extraEnv: [{ name: 'AWS_SECRET_ACCESS_KEY', value: 'geheim@' }] },
    /AWS_SECRET_ACCESS_KEY is a secret: move it to secrets/,
  ],
  ['roles without a bucket', { ...ROLES, settings: URI }, /mode roles needs S3_BUCKET/],
  ['roles without Redis', { ...ROLES, secrets: {} }, /mode roles needs REDIS_URL/],
  [
    'no place for data',
    { ...SINGLE, persistence: { enabled: false } },
    /all data would be lost with the pod/,
  ],
  ['a scaled single pod', { ...SINGLE, autoscaling: ON }, /autoscaling and keda need mode roles/],
  [
    'two autoscalers',
    { ...ROLES, autoscaling: ON, keda: KEDA },
    /autoscaling\.enabled and keda\.enabled exclude each other/,
  ],
  [
    'an empty range',
    { ...ROLES, keda: { ...KEDA, minReplicas: 9 } },
    /keda\.minReplicas is larger than keda\.maxReplicas/,
  ],
  ['KEDA without Prometheus', { ...ROLES, keda: ON }, /keda\.prometheusAddress is missing/],
  [
    'an ingress that the policy blocks',
    { ...SINGLE, ingress: { ...ON, hosts: [{ host: 'a', paths: [{ path: '/', pathType: 'Prefix' }] }] } },
    /ingress\.enabled has no effect, because networkPolicy\.from is empty/,
  ],
  [
    'a scrape that the policy blocks',
    { ...SINGLE, serviceMonitor: ON },
    /serviceMonitor\.enabled has no effect/,
  ],
  [
    'a load balancer that the policy blocks',
    { ...SINGLE, service: { type: 'LoadBalancer' } },
    /service\.type LoadBalancer has no effect/,
  ],
  [
    'a label that selects pods',
    { ...SINGLE, podLabels: { 'app.kubernetes.io/name': 'x' } },
    /podLabels has app\.kubernetes\.io\/name, by which the Deployments select/,
  ],
  [
    'a second volume for data',
    { ...SINGLE, extraVolumes: [{ name: 'data', emptyDir: {} }] },
    /extraVolumes has the name data, which the chart uses/,
  ],
  ['an ingress without a host', { ...SINGLE, ...PEER, ingress: ON }, /ingress\.hosts is empty/],
  [
    'external secrets without a store',
    { ...SINGLE, externalSecrets: ON },
    /externalSecrets needs data and secretStoreRef\.name/,
  ],
  [
    'two sources of tokens',
    { ...SINGLE, adminTokens: { value: '# none', secretName: 'x' } },
    /adminTokens has both value and secretName/,
  ],
  [
    'two catalogs',
    { ...SINGLE, catalog: { text: 'metrics: []', configMap: 'x' } },
    /catalog has both text and configMap/,
  ],
  [
    'a catalog file and an API',
    { ...SINGLE, catalog: { configMap: 'x' }, settings: { ...URI, METRICS_API_URL: 'https://a' } },
    /METRICS_API_URL is set, and so is catalog/,
  ],
  [
    'too short a grace period',
    { ...SINGLE, terminationGracePeriodSeconds: 30 },
    /must be at least preStopSeconds \+ 32/,
  ],
  ['an unknown mode', { ...SINGLE, mode: 'cluster' }, /'\/mode': value must be one of 'single', 'roles'/],
  ['a misspelt value', { ...SINGLE, persistance: {} }, /additional properties 'persistance' not allowed/],
  [
    'a token that is not a hash',
    { ...SINGLE, adminTokens: { value: 'geheim alice' } },
    /'\/adminTokens\/value': .*pattern/s,
  ],
  [
    'a pull secret that is only a name',
    { ...SINGLE, imagePullSecrets: ['registry'] },
    /'\/imagePullSecrets\/0': got string, want object/,
  ],
  [
    'a secret with a value and a reference',
    { ...SINGLE, secrets: { A: { value: 'x', secretName: 'y', secretKey: 'z' } } },
    /'\/secrets\/A'/,
  ],
];

/** Values that are unusual, but work. */
const ACCEPTED: readonly (readonly [what: string, values: Values])[] = [
  ['a single pod with Redis', { ...SINGLE, secrets: REDIS }],
  ['workers scaled by CPU', { ...ROLES, autoscaling: ON }],
  [
    'Redis from a store outside the cluster',
    {
      ...ROLES,
      secrets: {},
      externalSecrets: {
        ...ON,
        secretStoreRef: { name: 'vault', kind: 'SecretStore' },
        data: [{ secretKey: 'REDIS_URL', remoteRef: { key: 'redis' } }],
      },
    },
  ],
  [
    'Redis from a variable that refers to a Secret',
    {
      ...ROLES,
      secrets: {},
      extraEnv: [{ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'redis', key: 'url' } } }],
    },
  ],
  [
    'settings from a ConfigMap of the cluster',
    { ...IMAGE, mode: 'roles', envFrom: [{ configMapRef: { name: 'monitor' } }] },
  ],
  [
    'a Service that is reached from everywhere',
    { ...SINGLE, networkPolicy: { enabled: false }, serviceMonitor: ON },
  ],
];

/** Values with one secret setting among the plain ones. */
const SECRETS = Object.values(SETTING_GROUPS)
  .flatMap((group) => Object.entries(group))
  .flatMap(([name, field]) => (settingInfo.get(field)?.secret ? [name] : []));

describeChart('values of the Helm chart', (python) => {
  let results: Awaited<ReturnType<typeof render>>;
  beforeAll(async () => {
    const misplaced = SECRETS.map((name) => ({ ...SINGLE, settings: { ...URI, [name]: 'x' } }));
    results = await render(python, [...[...REFUSED, ...ACCEPTED].map(([, values]) => values), ...misplaced]);
  });

  it.each(REFUSED.map(([what, , sentence], i) => ({ what, sentence, i })))(
    '$what is refused with a sentence',
    ({ sentence, i }) => {
      expect(results[i]?.error).toMatch(sentence);
      expect(results[i]?.error).not.toContain('geheim@');
    },
  );

  it.each(ACCEPTED.map(([what], i) => ({ what, i: i + REFUSED.length })))('$what is accepted', ({ i }) => {
    expect(results[i]?.error).toBe('');
    expect(results[i]?.lint).toEqual([]);
  });

  it('no secret setting may be among the plain ones', () => {
    expect(SECRETS).toContain('MLFLOW_TRACKING_TOKEN');
    const errors = results.slice(-SECRETS.length).map(({ error }) => error);
    for (const [i, name] of SECRETS.entries()) expect(errors[i]).toContain(`- ${name} is a secret`);
  });

  it('an autoscaler by CPU sets the number of workers alone', () => {
    const { objects = [] } = results[REFUSED.length + 1] ?? {};
    const worker = objects.find(
      ({ metadata }) => metadata.name === 'mlflow-monitor-worker' && metadata.labels,
    );
    expect(objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe(
      worker.metadata.name,
    );
    expect(
      objects.filter(({ kind, spec }) => kind === 'Deployment' && spec.replicas === undefined),
    ).toHaveLength(1);
  });
});
