import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';
import type { AnyOperation } from '../../src/application/bus/operation.ts';
import { operations } from '../../src/application/operations.ts';
import { ajv } from '../../src/json/ajv.ts';
import { autoScalingSubject, checkClient, ec2Subject } from './check-clients.ts';
import { checkHotPath } from './hot-path.ts';
import { sdkSchemas } from './sdk-schemas.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Read by src/providers/aws/wire/trust.ts. */
const amazonRoots = 'src/providers/aws/wire/amazon-roots.pem';

/** Files of their own, loaded only by calls that need them: everything AWS, everything for administrators. */
const parts = {
  aws: 'src/providers/aws/aws.ts',
  'auto-scaling': 'src/providers/aws/services/auto-scaling.ts',
  proxy: 'src/providers/aws/wire/proxy-agents.ts',
  rehearsal: 'src/providers/aws/rehearsal.ts',
  'referenced-files': 'src/templates/referenced-files.ts',
  'raw-fields': 'src/providers/aws/inspect/raw-field-check.ts',
  inspection: 'src/providers/aws/inspect/inspection.ts',
  admin: 'src/cli/cli.ts',
  yaml: 'src/cli/yaml.ts',
  administration: 'src/boot/parts/administration.ts',
  reading: 'src/boot/parts/reading.ts',
  'table-state': 'src/boot/parts/table-state.ts',
  'state-places': 'src/boot/parts/state-places.ts',
  'table-doctor': 'src/storage/dynamodb/table-doctor.ts',
  jsonc: 'src/json/jsonc.ts',
  emulator: 'src/emulator/server.ts',
  credentials: 'src/providers/aws/wire/default-credentials.ts',
  server: 'src/api/server.ts',
  recording: 'src/boot/parts/recording.ts',
  replay: 'src/boot/parts/replay.ts',
  page: 'src/api/page-files.ts',
  assistant: 'src/boot/parts/assistant.ts',
  notify: 'src/boot/parts/notify.ts',
  serving: 'src/boot/parts/serve.ts',
  tracing: 'src/telemetry/tracing.ts',
} as const;

/** Where each operation is carried out: its file, and the name there. */
const handlers = Object.values<AnyOperation>(operations).map(({ name, bus, isHot }) => {
  const folder = bus === 'command' ? 'commands' : 'queries';
  const file = name.replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const exported = `${name.charAt(0).toLowerCase()}${name.slice(1)}Handler`;
  return { isHot, file: join(root, 'src', 'application', folder, `${file}.ts`), exported };
});

/** What carries out the operations that no script runs, in one file. */
const coldHandlers: Plugin = {
  name: 'cold-handlers',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^handlers$/ }, ({ path }) => ({ path, namespace: 'handlers' }));
    onLoad({ filter: /./, namespace: 'handlers' }, () => {
      const lines = handlers.flatMap(({ isHot, file, exported }) =>
        isHot ? [] : `export { ${exported} } from ${JSON.stringify(file)};`,
      );
      return { contents: lines.join('\n'), resolveDir: root };
    });
  },
};

/** A script carries operations out and asks nothing of what is declared of them: it is spared their schemas. */
const withoutDeclarations: Plugin = {
  name: 'without-declarations',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]application[\\/](commands|queries)[\\/]/ }, async ({ path }) => {
      const parts = (await readFile(path, 'utf8')).split(/^export const \w+ = defineOperation\([\s\S]*?^\}\);$/m);
      if (parts.length !== 2) throw new Error(`${path} does not declare one operation`);
      return { contents: parts.join(''), loader: 'ts' };
    });
  },
};

/** Leaves the dynamic imports of a part to `require` of its file at run time. */
const separateParts: Plugin = {
  name: 'separate-parts',
  setup({ onResolve }) {
    const names = new Map([
      ...Object.entries(parts).map(([name, entry]) => [join(root, entry), name] as const),
      ...handlers.flatMap(({ isHot, file }) => (isHot ? [] : [[file, 'handlers'] as const])),
    ]);
    onResolve({ filter: /\.ts$/ }, ({ kind, resolveDir, path }) => {
      const name = kind === 'dynamic-import' ? names.get(join(resolveDir, path)) : undefined;
      return name === undefined ? undefined : { path: `./${name}.cjs`, external: true };
    });
  },
};

/** Replaces compiled ajv validators by their generated source: no schema is compiled, and ajv not loaded, at run time. */
const compiledValidators: Plugin = {
  name: 'compiled-validators',
  setup({ onLoad }) {
    onLoad({ filter: /\.validator\.ts$/ }, async ({ path }) => {
      const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
      const tables = Object.entries(loaded).filter(([, each]) => typeof each !== 'function');
      const all = [
        ...Object.entries(loaded).filter(([, each]) => typeof each === 'function'),
        ...tables.flatMap(([, table]) => Object.entries(Object(table))),
      ];
      const code = standaloneCode.default(ajv, Object.fromEntries(all.map(([name, each]) => [name, idOf(each)])));
      const rows = tables.map(
        ([name, table]) => `export const ${name} = { ${Object.keys(Object(table)).join(', ')} };\n`,
      );
      return { contents: `${code}\n${rows.join('')}`, loader: 'js', resolveDir: root };
    });
  },
};

/** Puts the values of plain data in the place of their making: what they are made from is not loaded at run time. */
const computedValues: Plugin = {
  name: 'computed-values',
  setup({ onLoad }) {
    onLoad({ filter: /\.computed\.ts$/ }, async ({ path }) => {
      const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
      const lines = Object.entries(loaded).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
      return { contents: lines.join('\n'), loader: 'js' };
    });
  },
};

const pageFolder = join(root, 'src', 'page');

/** The page's own script, with what it needs of other packages, for any browser of the last years. */
const pageScript = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(pageFolder, 'page.tsx')],
    tsconfig: join(pageFolder, 'tsconfig.json'),
    absWorkingDir: root,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
};

/** Puts the page into the part that serves it: see src/api/page-files.ts. */
const pageFiles: Plugin = {
  name: 'page-files',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]api[\\/]page-files\.ts$/ }, async () => {
      const style = [join(root, 'node_modules', 'uplot', 'dist', 'uPlot.min.css'), join(pageFolder, 'page.css')];
      const files = {
        '/': { type: 'text/html; charset=utf-8', text: await readFile(join(pageFolder, 'page.html'), 'utf8') },
        '/page.css': {
          type: 'text/css; charset=utf-8',
          text: (await Promise.all(style.map((file) => readFile(file, 'utf8')))).join('\n'),
        },
        '/page.js': { type: 'text/javascript; charset=utf-8', text: await pageScript() },
      };
      return { contents: `export const pageFiles = ${JSON.stringify(files)};`, loader: 'js' };
    });
  },
};

/** yargs measures its help with an `Intl.Segmenter`, which takes Node 20 ms to make; ours is plain English. */
const plainWidths: Plugin = {
  name: 'plain-widths',
  setup({ onLoad }) {
    onLoad({ filter: /string-width[\\/]index\.js$/ }, () => ({ contents: 'export default (text) => text.length;' }));
  },
};

/** The SDK compiles the schemas of forms that a user fills in: nothing here asks for one. */
const withoutForms: Plugin = {
  name: 'without-forms',
  setup({ onLoad }) {
    onLoad({ filter: /modelcontextprotocol[\\/].*[\\/]ajv-provider\.js$/ }, () => ({
      contents: 'export class AjvJsonSchemaValidator {}',
    }));
  },
};

const idOf = (validator: unknown): string => {
  const schema: unknown = typeof validator === 'function' && 'schema' in validator ? validator.schema : undefined;
  if (typeof schema === 'object' && schema !== null && '$id' in schema && typeof schema.$id === 'string')
    return schema.$id;
  throw new Error('a validator needs a schema with $id');
};

const shared = {
  absWorkingDir: root,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
  metafile: true,
} as const satisfies BuildOptions;

/** The program, but for the file that starts it. */
const program = {
  ...shared,
  target: 'node20',
  // `import()` of a part would go through Node's ES module loader.
  supported: { 'dynamic-import': false },
  mainFields: ['module', 'main'],
  // yargs asks where it lies.
  define: { 'import.meta.url': 'importMetaUrl' },
  inject: ['scripts/dev/import-meta-url.ts'],
  // src/boot/start.ts runs the files, not Node's `require`.
  banner: { js: '(function (require, __filename, __dirname, module, exports) {' },
  footer: { js: '})' },
} as const satisfies BuildOptions;
const plugins = [separateParts, compiledValidators, computedValues, sdkSchemas, plainWidths, pageFiles, withoutForms];
const main = await build({
  ...program,
  entryPoints: { main: 'src/boot/main.ts' },
  plugins: [...plugins, withoutDeclarations],
});
const others = await build({
  ...program,
  entryPoints: { handlers: 'handlers', ...parts },
  plugins: [...plugins, coldHandlers],
});
checkHotPath({ outputs: { ...main.metafile.outputs, ...others.metafile.outputs } });

/** What a file of the program exports, run as src/boot/start.ts runs it. */
const exportsOf = (part: string): Readonly<Record<string, unknown>> => {
  const file = others.outputFiles.find(({ path }) => path.endsWith(`${part}.cjs`));
  const module = { exports: {} };
  const run: unknown = new Script(file?.text ?? '').runInThisContext();
  if (typeof run === 'function') run(createRequire(import.meta.url), part, root, module, module.exports);
  return module.exports;
};
await checkClient(ec2Subject(exportsOf('aws')['createEc2']));
await checkClient(autoScalingSubject(exportsOf('auto-scaling')['createAutoScaling']));

/** Any Node must be able to read this far. */
const entry = await build({ ...shared, entryPoints: ['src/boot/hf-aws.cjs'], target: 'es2015' });

/** Compiled code is kept for a file of exactly this content: see src/boot/start.ts. */
const withId = ({ path, contents }: OutputFile): { readonly path: string; readonly contents: Uint8Array } => {
  const id = createHash('sha256').update(contents).digest('hex').slice(0, 16);
  return path.endsWith('.map')
    ? { path, contents }
    : { path, contents: Buffer.concat([contents, Buffer.from(`//${id}\n`)]) };
};

// Each file is replaced at once: a call that runs meanwhile finds the old or the new, never a part.
const dist = join(root, 'dist');
const roots = { path: join(dist, 'amazon-roots.pem'), contents: await readFile(join(root, amazonRoots)) };
const files = [...[...main.outputFiles, ...others.outputFiles].map(withId), ...entry.outputFiles, roots];
await mkdir(dist, { recursive: true });
for (const { path, contents } of files) {
  await writeFile(`${path}.new`, contents, { mode: 0o755 });
  await rename(`${path}.new`, path);
}
const stale = (await readdir(dist)).filter((name) => !files.some(({ path }) => path === join(dist, name)));
await Promise.all(stale.map((name) => rm(join(dist, name), { recursive: true })));
