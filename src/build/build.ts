import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { build, type Plugin } from 'esbuild';
import { ajv } from '../config/ajv.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files of their own, loaded only by calls that need them: everything AWS, everything for administrators. */
const parts = {
  aws: 'src/providers/aws/aws.ts',
  ssm: 'src/providers/aws/ssm.ts',
  admin: 'src/cli/cli.ts',
  emulator: 'src/emulator/server.ts',
} as const;

/** Leaves the dynamic imports of a part to `require` of its file at run time. */
const separateParts: Plugin = {
  name: 'separate-parts',
  setup({ onResolve }) {
    for (const [name, entry] of Object.entries(parts)) {
      const file = entry.split('/').slice(-2).join('/').replaceAll('.', '\\.');
      onResolve({ filter: new RegExp(`${file}$`) }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: `./${name}.cjs`, external: true } : undefined,
      );
    }
  },
};

/** Replaces compiled ajv validators by their generated source: no schema is compiled, and ajv not loaded, at run time. */
const compiledValidators: Plugin = {
  name: 'compiled-validators',
  setup({ onLoad }) {
    onLoad({ filter: /\.validator\.ts$/ }, async ({ path }) => {
      const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
      const ids = Object.entries(loaded).map(([name, validator]) => [name, idOf(validator)] as const);
      return { contents: standaloneCode.default(ajv, Object.fromEntries(ids)), loader: 'js', resolveDir: root };
    });
  },
};

const idOf = (validator: unknown): string => {
  const schema: unknown = typeof validator === 'function' && 'schema' in validator ? validator.schema : undefined;
  if (typeof schema === 'object' && schema !== null && '$id' in schema && typeof schema.$id === 'string')
    return schema.$id;
  throw new Error('a validator needs a schema with $id');
};

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', ...parts },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: 'linked',
  legalComments: 'none',
  // yargs asks where it lies; CommonJS knows that by another name.
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  plugins: [separateParts, compiledValidators],
  logLevel: 'warning',
  write: false,
});

// Each file is replaced at once: a call that runs meanwhile finds the old or the new, never a part.
const dist = join(root, 'dist');
const entry = { path: join(dist, 'hf-aws.cjs'), contents: await readFile(join(root, 'src', 'hf-aws.cjs')) };
const files = [...outputFiles, entry];
await mkdir(dist, { recursive: true });
for (const { path, contents } of files) {
  await writeFile(`${path}.new`, contents, { mode: 0o755 });
  await rename(`${path}.new`, path);
}
const stale = (await readdir(dist)).filter((name) => !files.some(({ path }) => path === join(dist, name)));
await Promise.all(stale.map((name) => rm(join(dist, name), { recursive: true })));
