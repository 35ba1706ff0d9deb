import { execFile } from 'node:child_process';
import type { Environment } from '../../config/environment.ts';

export interface ServiceManager {
  /** Tells systemd, where it has started this process; a message that is lost comes again. */
  ready(): void;
  stopping(): void;
  /** To be called while all is well, at least every second. */
  alive(): void;
}

/**
 * sd_notify(3) by way of the program `systemd-notify`: Node has no datagrams to unix sockets, and an add-on in machine code would have
 * to be built for each host. The unit needs NotifyAccess=all.
 */
export const serviceManager = ({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog }: Environment): ServiceManager => {
  const tell = (...words: readonly string[]): void => {
    if (socket !== undefined) execFile('systemd-notify', [...words], () => undefined);
  };
  /** A third of what systemd allows, ms: one message may be lost. */
  const interval = Number(watchdog) / 3000;
  let isReady = false;
  let told = 0;
  return {
    ready: () => {
      isReady = true;
      told = performance.now();
      tell('--ready', `MAINPID=${process.pid}`);
    },
    stopping: () => {
      isReady = false;
      tell('STOPPING=1');
    },
    alive: () => {
      if (!isReady || !(interval > 0) || performance.now() - told < interval) return;
      told = performance.now();
      // Systemd may not have heard that it is ready: the program was gone before it was looked at (systemd 245 and older).
      tell('--ready', 'WATCHDOG=1');
    },
  };
};
