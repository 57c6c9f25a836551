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
const project = (name) => ({
  displayName: name,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': swc },
  testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`],
});
export default {
  projects: [project('unit'), project('integration'), project('e2e'), project('faults')],
  testTimeout: 120_000,
  // Most of them wait for a process, a server or a disk most of the time.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Each case of `faults` starts the service two or three times.
  maxConcurrency: 3,
  testSequencer: './test/support/longest-first.cjs',
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
};
