import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

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

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/moto-api/`)).ok;
  } catch {
    return false;
  }
};

/** A moto of one's own, once it answers. */
export const startMoto = async (): Promise<{ readonly url: string; readonly close: () => void }> => {
  const port = await freePort();
  const server = spawn('moto_server', ['-p', String(port)], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 50_000;
  while (!(await answers(url))) {
    if (Date.now() > deadline) throw new Error('moto_server did not come up');
    await wait(100);
  }
  return { url, close: () => server.kill() };
};
