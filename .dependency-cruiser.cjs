// The layers of the program: domain <- application <- everything else. Only src/boot sees all folders.
/** Each folder, and those beside domain and application that it may use. */
const folders = {
  json: [],
  providers: ['json'],
  storage: ['json'],
  config: ['json', 'templates'],
  templates: ['json', 'config'],
  setup: ['json', 'config', 'templates'],
  hostfactory: ['json'],
  cli: ['json'],
  api: ['json'],
  mcp: ['json'],
  recording: ['json'],
  notify: ['json'],
  telemetry: ['json'],
  emulator: ['json'],
  page: [],
};

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'application-knows-only-domain',
      severity: 'error',
      from: { path: '^src/application/' },
      to: { pathNot: '^src/(application|domain)/' },
    },
    ...Object.entries(folders).map(([folder, others]) => ({
      name: `${folder}-stands-alone`,
      comment: 'Folders meet in src/boot/composition.ts.',
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...others].join('|')}|application|domain)/` },
    })),
    {
      name: 'only-the-aws-folder-knows-the-sdk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/providers/aws/' },
      to: { path: '@(aws-sdk|smithy)/' },
    },
    {
      name: 'queries-never-write',
      comment: 'A query or projection may import neither a command nor what decides on and appends to streams.',
      severity: 'error',
      from: { path: '^src/application/(queries|projections)/' },
      to: {
        path: '^src/application/(commands|life-cycle/(advance|bookkeeping|catch-up|perform|recount|sync|terminate|watching))',
      },
    },
    {
      name: 'commands-never-read-the-read-model',
      comment: 'What a command decides on is the write side: streams and configuration.',
      severity: 'error',
      from: { path: '^src/application/commands/' },
      to: { path: '^src/application/(queries|projections)/' },
    },
    {
      name: 'entries-know-only-the-service',
      comment: 'REST and the command line send messages; neither knows a handler or a store.',
      severity: 'error',
      from: { path: '^src/(api|cli|hostfactory|mcp)/' },
      to: { path: '^src/application/(commands|life-cycle)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-page-takes-only-types',
      comment: 'It runs in a browser: of the program it knows the form of answers.',
      severity: 'error',
      from: { path: '^src/page/' },
      to: { path: '^src/', pathNot: '^src/page/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-a-browser-loads-the-page',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/page/' },
      to: { path: '^src/page/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'tests-aside',
      severity: 'error',
      from: { path: '^(src|scripts)/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
