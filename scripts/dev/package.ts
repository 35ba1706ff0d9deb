import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../../src/boot/version.ts';

/** Unpacked in `$HF_TOP/<version>/providerplugins/` it is a plug-in that needs nothing but Node. */
const plugin = 'awsts';
const root = fileURLToPath(new URL('../..', import.meta.url));
const archive = join(root, `hostfactory-aws-${version}.tar.gz`);

const staging = mkdtempSync(join(tmpdir(), 'hf-aws-package-'));
try {
  const folder = join(staging, plugin);
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const each of [
    'scripts',
    'config',
    'README.md',
    'src/cli/README.md',
    'src/api/README.md',
    'LICENSE',
    'CHANGELOG.md',
  ]) {
    cpSync(join(root, each), join(folder, each), { recursive: true });
  }
  const program = readdirSync(join(root, 'dist')).filter((name) => /\.(cjs|pem)$/.test(name));
  for (const name of program) cpSync(join(root, 'dist', name), join(folder, 'dist', name));
  cpSync(join(root, 'scripts', 'dev', 'install.sh'), join(folder, 'install.sh'));
  rmSync(join(folder, 'scripts', 'dev'), { recursive: true });
  // What install.sh checks the package by.
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const names = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort();
  writeFileSync(join(folder, 'MANIFEST'), execFileSync('cksum', names, { cwd: folder }));
  execFileSync('tar', ['-czf', archive, '--owner=0', '--group=0', '-C', staging, plugin]);
} finally {
  rmSync(staging, { recursive: true });
}
process.stdout.write(`${archive}\n`);
