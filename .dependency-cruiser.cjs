// Imports run downward: main → cli → gate, alerts → features → pipeline → queue, state → storage → upstream → observability → config → domain.
// Features never import each other, and nothing imports in a circle.
const features = [
  'ingestion',
  'enrichment',
  'aggregation',
  'admin',
  'dashboard',
  'health',
  'quality',
  'demo',
];
/** What each folder may import besides itself. */
const lower = ['storage', 'upstream', 'observability', 'config', 'domain'];
const allowed = {
  domain: [],
  config: ['domain'],
  observability: ['config', 'domain'],
  upstream: ['observability', 'config', 'domain'],
  storage: ['upstream', 'observability', 'config', 'domain'],
  queue: lower,
  state: lower,
  http: lower,
  pipeline: ['queue', 'state', ...lower],
  // Reads a run like ingestion and judges it like enrichment, in one request.
  gate: ['ingestion', 'enrichment', 'http', 'pipeline', 'queue', 'state', ...lower],
  // Evaluates what the page shows.
  alerts: ['dashboard', 'http', 'pipeline', 'queue', 'state', ...lower],
  ...Object.fromEntries(
    features.map((feature) => [feature, ['http', 'pipeline', 'queue', 'state', ...lower]]),
  ),
};
const folders = ['cli', ...Object.keys(allowed)];
const forbid = ([from, targets]) => ({
  name: features.includes(from)
    ? `${from}-imports-no-other-feature`
    : `${from}-imports-only-${['itself', ...targets].join('-')}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: {
    path: `^src/(${folders.filter((folder) => folder !== from && !targets.includes(folder)).join('|')})/|^src/[^/]+\\.ts$`,
  },
});
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'The files of a demo page are loaded by the browser.',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$|^src/demo/page/' },
      to: {},
    },
    {
      name: 'domain-imports-only-itself',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'loaded-when-needed',
      comment:
        'A start does not load these packages (docs/benchmarks.md). Import them with import() where they are used; for the decorators of the OpenAPI document: src/http/documentation.ts.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^node_modules/(@nestjs/swagger|@bull-board/[^/]+|nodemailer)/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    ...Object.entries(allowed).map(forbid),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
