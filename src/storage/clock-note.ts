import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { attempt } from './atomic-file.ts';

/** Keeps what AWS's clock showed, for what the next call on this host dates before it hears AWS. */
export interface ClockNote {
  /** Milliseconds by which this host's clock is ahead of AWS's now; undefined where nothing is known. */
  read(): number | undefined;
  /** The same, as it was just measured. What cannot be written is not kept. */
  write(ahead: number): void;
}

/** The clocks of a host, ms. */
export interface HostClocks {
  /** May be set at any time. */
  readonly wall: () => number;
  /** Goes on evenly from the start of the system on. */
  readonly sinceBoot: () => number;
  /** Changes with each start of the system; undefined where the system does not say. */
  readonly bootId: () => string | undefined;
}

/** Less than this between the two clocks is no jump, ms: the steady one may be slewed. */
const tolerance = 2000;

const systemClocks: HostClocks = {
  wall: Date.now,
  sinceBoot: () => uptime() * 1000,
  bootId: () => attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(), undefined),
};

const unknownBoot = '-';
const noteForm = /^(\S+) (\d+) (\d+) (-?\d+)$/;

/**
 * One line in `cache/clock.<host>`: `<boot id> <ms since the start of the system> <this host's clock> <ms ahead of AWS>`. A clock
 * that was set since shows beside the time since the start, which nobody sets. Without a boot id, as on Windows, it does not show.
 */
export const createClockNote = (workDirectory: string, clocks: HostClocks = systemClocks): ClockNote => {
  const file = join(workDirectory, 'cache', `clock.${hostname()}`);
  return {
    read: () => {
      const [, boot, sinceBoot, wall, ahead] = noteForm.exec(attempt(() => readFileSync(file, 'utf8'), '')) ?? [];
      if (boot === undefined) return undefined;
      if (boot === unknownBoot) return Number(ahead);
      const jumped = clocks.wall() - Number(wall) - (clocks.sinceBoot() - Number(sinceBoot));
      if (Math.abs(jumped) < tolerance) return Number(ahead);
      // Read only now: it takes several times as long as the rest.
      return clocks.bootId() === boot ? Number(ahead) + jumped : undefined;
    },
    write: (ahead) =>
      attempt(() => {
        const values = [clocks.sinceBoot(), clocks.wall(), ahead].map(Math.round);
        const aside = `${file}.${process.pid}.tmp`;
        writeFileSync(aside, [clocks.bootId() ?? unknownBoot, ...values].join(' '), { mode: 0o600 });
        renameSync(aside, file);
      }, undefined),
  };
};
