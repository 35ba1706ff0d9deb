import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps by how much this host's clock differs from AWS's, for what the next call dates before it hears AWS. */
export interface ClockNote {
  /** Milliseconds ahead; undefined where no difference is known. */
  read(): number | undefined;
  /** 0: no difference any more. What cannot be written is not kept. */
  write(ahead: number): void;
}

/** One small file, `cache/clock`, that is there only on hosts whose clock is wrong. */
export const createClockNote = (workDirectory: string): ClockNote => {
  const file = join(workDirectory, 'cache', 'clock');
  return {
    read: () => {
      try {
        const ahead = Number(readFileSync(file, 'utf8'));
        return Number.isFinite(ahead) ? ahead : undefined;
      } catch {
        return undefined;
      }
    },
    write: (ahead) => {
      try {
        if (ahead === 0) return rmSync(file, { force: true });
        const aside = `${file}.${process.pid}.tmp`;
        writeFileSync(aside, `${Math.round(ahead)}`, { mode: 0o600 });
        renameSync(aside, file);
      } catch {
        // Measured again by the next call.
      }
    },
  };
};
