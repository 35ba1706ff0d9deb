import type { Metafile } from 'esbuild';

/** The files Host Factory's calls load. */
const hotFiles = ['dist/main.cjs', 'dist/aws.cjs', 'dist/auto-scaling.cjs', 'dist/raw-fields.cjs'];

/** All that they may hold of other people's code. Whatever is added here is paid for at every call. */
const allowed: readonly RegExp[] = [
  /^ajv\/dist\/runtime\//,
  /^lowdb\//,
  // A misspelt field that decides about money is found by every call that reads the template.
  /^fastest-levenshtein\//,
];

/** Words for people: the scripts need what is computed from these files at most (`*.computed.ts`, `*.validator.ts`). */
const prose: readonly RegExp[] = [
  /^src\/templates\/fields\/(?!.*\.computed\.ts$)/,
  /^src\/config\/provider-config\.schema\.ts$/,
];

const isStranger = (input: string): boolean =>
  input.startsWith('node_modules/')
    ? !allowed.some((pattern) => pattern.test(input.slice('node_modules/'.length)))
    : prose.some((pattern) => pattern.test(input));

/** Throws when a file of the hot path has got hold of more than it may: a client of the SDK, yargs, ajv, Node's file promises. */
export const checkHotPath = ({ outputs }: Pick<Metafile, 'outputs'>): void => {
  const strangers = hotFiles.flatMap((file) =>
    Object.entries(outputs[file]?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => input)
      .filter(isStranger)
      .map((input) => `${file} would load ${input.replace('node_modules/', '')}`),
  );
  const slow = hotFiles.flatMap((file) =>
    (outputs[file]?.imports ?? [])
      .filter(({ path }) => path === 'node:fs/promises')
      .map(({ path }) => `${file} would load ${path}`),
  );
  const found = [...strangers, ...slow];
  if (found.length > 0) throw new Error(`hot path: ${found.join('; ')}; see scripts/dev/hot-path.ts`);
};
