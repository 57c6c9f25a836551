import { availableParallelism } from 'node:os';

const swc = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
];
/** Time limits allow for other tests running at the same time: only a test that hangs reaches its limit. */
const project = (name, timeLimitMs) => ({
  displayName: name,
  // `testTimeout` cannot be set per project.
  globals: { TIME_LIMIT_MS: timeLimitMs },
  setupFilesAfterEnv: ['<rootDir>/test/support/time-limit.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': swc },
  testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`],
});
export default {
  projects: [
    project('unit', 30_000),
    project('integration', 180_000),
    project('e2e', 300_000),
    project('faults', 300_000),
    project('abuse', 600_000),
  ],
  // Most tests spend most of their time waiting for a process, a server or a disk.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // The modules of finished test files stay in the memory of a worker, some 15 MB per file, and each garbage collection visits them.
  // A worker that uses more than this after a file is replaced by a new process.
  workerIdleMemoryLimit: '400MB',
  // Each case in `faults` starts the service two or three times.
  maxConcurrency: 3,
  testSequencer: './test/support/longest-first.cjs',
  reporters: ['default', './test/support/skip-report.cjs'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
};
