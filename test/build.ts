import { execFileSync } from 'node:child_process';
import { hasMoto } from './moto.ts';

/** The end-to-end tests drive what is shipped: built once before all of them. */
export const setup = (): void => {
  if (!hasMoto)
    process.stdout.write('moto_server is not on PATH: the tests against moto are skipped; the summary counts them.\n');
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
};
