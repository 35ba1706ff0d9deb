import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { times } from './test/times.ts';

const temporaryRoot = 'test/temporary-root.ts';
const realClock = 'test/real-clock.ts';

/** Long tables and random walks over what shorter tests show as well: not for somebody who waits. */
const wide = [
  'test/e2e/matrix.spec.ts',
  'test/e2e/fleets.spec.ts',
  'test/e2e/fleet-trouble.spec.ts',
  'test/e2e/returns-property.spec.ts',
  'test/e2e/event-stack.spec.ts',
  'test/e2e/stacks.spec.ts',
  'test/e2e/rest-endurance.spec.ts',
  'test/e2e/rest-description.spec.ts',
  'test/e2e/replay.spec.ts',
  'test/e2e/state.spec.ts',
  'test/unit/emulator/scale.spec.ts',
];

/** What `npm test` plays against our emulator, here against moto. */
const alsoAgainstMoto = [
  ...['life-cycle', 'instance-events', 'prices', 'broker-templates'].map((name) => `test/e2e/${name}.spec.ts`),
  'test/unit/storage/store-contract.spec.ts',
];

/** Runs what the READMEs say: part of `npm run check`. */
const pages = ['test/e2e/readme.spec.ts'];

/** What the fault tests play with scripts, whoever answers them and wherever the state is. */
const alsoFaults = ['kills', 'matrix', 'hostile', 'concurrency', 'time', 'instance-events'].map(
  (name) => `test/faults/${name}.spec.ts`,
);

/** What Host Factory is promised, whoever answers its scripts; test/README.md says what is left out. */
const alsoServed = [
  ...['life-cycle', 'scripts', 'calls', 'concurrency', 'credentials', 'configuration', 'vocabulary'],
  ...['broker-templates', 'prices', 'instance-events', 'foreign-answers', 'matrix', 'fleets', 'fleet-trouble'],
  'returns-property',
]
  .map((name) => `test/e2e/${name}.spec.ts`)
  .concat(alsoFaults);

/** The same wherever the state is; test/README.md says what is left out. */
const alsoInTables = [
  ...['life-cycle', 'scripts', 'calls', 'concurrency', 'credentials', 'configuration', 'broker-templates'],
  ...['instance-events', 'matrix', 'fleets', 'fleet-trouble', 'returns-property', 'rest', 'cqrs', 'vocabulary'],
  ...['foreign-answers', 'prices', 'monitoring'],
]
  .map((name) => `test/e2e/${name}.spec.ts`)
  .concat(alsoFaults);

const shared = {
  env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  testTimeout: 60_000 * times,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // End-to-end tests mostly wait for processes and emulated machines: one file more than there are cores.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          // A worker loads the program once for all its files; a file puts back what it changes of the process.
          isolate: false,
          setupFiles: [realClock],
          include: ['test/unit/**/*.spec.ts'],
          exclude: wide,
          globalSetup: [temporaryRoot],
        },
      },
      { test: { ...shared, name: 'wide', include: wide, globalSetup: [temporaryRoot, 'test/build.ts'] } },
      {
        test: {
          ...shared,
          env: { ...shared.env, HF_AWS_TEST_BACKEND: 'moto' },
          name: 'moto',
          include: alsoAgainstMoto,
          globalSetup: [temporaryRoot, 'test/build.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'faults',
          include: ['test/faults/**/*.spec.ts'],
          globalSetup: [temporaryRoot, 'test/faults/tally.ts'],
          testTimeout: 600_000 * times,
        },
      },
      {
        test: {
          ...shared,
          env: { ...shared.env, HF_AWS_TEST_BACKEND: 'the emulator', HF_AWS_TEST_SERVER: 'yes' },
          name: 'server',
          include: ['test/server/**/*.spec.ts', ...alsoServed],
          globalSetup: [temporaryRoot, 'test/faults/tally.ts'],
          testTimeout: 600_000 * times,
        },
      },
      {
        test: {
          ...shared,
          env: { ...shared.env, HF_AWS_TEST_BACKEND: 'the emulator' },
          name: 'e2e',
          isolate: false,
          setupFiles: [realClock],
          include: ['test/e2e/**/*.spec.ts'],
          exclude: [...wide, ...pages],
          globalSetup: [temporaryRoot, 'test/build.ts'],
        },
      },
      {
        test: {
          ...shared,
          env: { ...shared.env, HF_AWS_TEST_BACKEND: 'the emulator' },
          name: 'table',
          include: ['test/table/**/*.spec.ts', ...alsoInTables],
          globalSetup: [temporaryRoot, 'test/faults/tally.ts', 'test/table/own-tables.ts'],
          testTimeout: 600_000 * times,
        },
      },
      {
        test: {
          ...shared,
          name: 'page',
          include: ['test/page/**/*.spec.ts'],
          globalSetup: [temporaryRoot, 'test/build.ts'],
        },
      },
      { test: { ...shared, name: 'readme', include: pages, globalSetup: [temporaryRoot, 'test/build.ts'] } },
    ],
  },
});
