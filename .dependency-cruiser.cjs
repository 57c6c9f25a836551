// The import rules of the house: main → features → pipeline, storage → config → domain; never upward, never in a circle.
const features = ['ingestion', 'enrichment', 'aggregation', 'admin', 'dashboard', 'health', 'demo'];
const below = {
  domain: [],
  config: ['domain'],
  storage: ['config', 'domain'],
  pipeline: ['storage', 'config', 'domain'],
};
const folders = ['cli', ...features, 'pipeline', 'storage', 'config', 'domain'];
const forbid = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: {
    path: `^src/(${folders.filter((folder) => folder !== from && !allowed.includes(folder)).join('|')})/|^src/[^/]+\\.ts$`,
  },
});
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'What a page of the demo loads is imported by nobody.',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$|^src/demo/page/' },
      to: {},
    },
    {
      name: 'domain-imports-nothing-but-itself',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    ...Object.entries(below).map(([from, allowed]) => forbid(`${from}-imports-downward`, from, allowed)),
    ...features.map((from) =>
      forbid(`${from}-meets-other-features-only-through-contracts`, from, Object.keys(below)),
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
