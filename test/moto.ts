import { execFileSync } from 'node:child_process';

/** Whether moto is on this machine. CI has it, so that the emulator cannot flatter us. */
export const hasMoto = ((): boolean => {
  try {
    execFileSync('moto_server', ['--help'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['CI'] === 'true')
      throw new Error('moto_server is required when CI=true: pip install "moto[server]"');
    return false;
  }
})();
