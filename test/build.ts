import { execFileSync } from 'node:child_process';

/** The end-to-end tests drive what is shipped: built once before all of them. */
export const setup = (): void => {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
};
