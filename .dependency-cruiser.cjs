// The layers of the program: domain <- application <- everything else. Only composition.ts sees all rooms.
// json is a leaf that config and hostfactory share.
const rooms = ['json', 'providers', 'storage', 'config', 'hostfactory', 'cli', 'api', 'telemetry', 'emulator'];

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
    ...rooms.map((room) => ({
      name: `${room}-stands-alone`,
      comment: 'Rooms meet in composition.ts; none imports another.',
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${room}|application|domain|json)/` },
    })),
    {
      name: 'only-the-aws-room-knows-the-sdk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/providers/aws/' },
      to: { path: '@(aws-sdk|smithy)/' },
    },
    {
      name: 'queries-never-write',
      comment: 'A query or projection may import neither a command nor what decides on and appends to streams.',
      severity: 'error',
      from: { path: '^src/application/(queries|projections)/' },
      to: { path: '^src/application/(commands/|sync|recount|watching)' },
    },
    {
      name: 'commands-never-read-the-read-model',
      comment: 'What a command decides on is the write side: streams and configuration.',
      severity: 'error',
      from: { path: '^src/application/commands/' },
      to: { path: '^src/application/(queries|projections)/' },
    },
    {
      name: 'doors-know-only-the-service',
      comment: 'REST and the command line send messages; neither knows a handler or a store.',
      severity: 'error',
      from: { path: '^src/(api|cli|hostfactory)/' },
      to: { path: '^src/application/(commands|streams|sync|launching)', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'tests-aside',
      severity: 'error',
      from: { path: '^src/' },
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
