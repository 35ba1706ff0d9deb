import { gzipSync } from 'node:zlib';

export interface ArchiveEntry {
  /** With `/`, at most 100 bytes. */
  readonly name: string;
  readonly text: string;
}

const block = 512;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

/** A header of POSIX ustar: name, mode, uid, gid, size, mtime, checksum, type, link, magic. The sum counts its own field as blanks. */
const headerOf = (name: string, size: number, seconds: number): Buffer => {
  const header = Buffer.alloc(block);
  const put = (text: string, at: number): void => void header.write(text, at, 'latin1');
  put(name, 0);
  put(octal(0o600, 8), 100);
  put(octal(0, 8) + octal(0, 8), 108);
  put(octal(size, 12) + octal(seconds, 12), 124);
  put('        0', 148);
  put('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 7)} `, 148);
  return header;
};

/** Texts as a compressed tar archive. `at`: ms since the epoch. */
export const tarGz = (entries: readonly ArchiveEntry[], at: number): Buffer => {
  const parts = entries.flatMap(({ name, text }) => {
    const bytes = Buffer.from(text);
    const padding = Buffer.alloc((block - (bytes.length % block)) % block);
    return [headerOf(name, bytes.length, Math.floor(at / 1000)), bytes, padding];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]));
};
