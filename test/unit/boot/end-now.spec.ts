import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { endNow } from '../../../src/boot/administrator.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const ended = (): string => {
  let how = 'not';
  endNow(1, {
    exit: (status) => {
      how = `status ${status}`;
    },
    kill: (_pid, signal) => {
      how = signal;
    },
    pid: process.pid,
  });
  return how;
};

it('a process in which a connection hangs ends with its status', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = Object(silent.address());
  const hanging = connect(port, '127.0.0.1');
  onTestFinished(() => void hanging.destroy());
  await new Promise((resolve) => hanging.once('connect', resolve));
  await vi.waitFor(() => expect(ended()).toBe('status 1'));
});

it('a process in which a thread hangs in a file system ends by a signal, since Node would wait for it', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Hangs until somebody writes.
  const hanging = open(pipe, 'r');
  const how = ended();
  await (await open(pipe, 'w')).close();
  await (await hanging).close();
  expect(how).toBe('SIGKILL');
});
