import { gunzipSync } from 'node:zlib';

const block = 512;

const field = (header: Buffer, at: number, length: number): string =>
  header.toString('latin1', at, at + length).replace(/\0[\s\S]*$/, '');

/** The files of a compressed tar archive, as texts. Throws for what is none. */
export const filesInTarGz = (archive: Buffer): readonly { readonly name: string; readonly text: string }[] => {
  const tar = gunzipSync(archive);
  const files: { readonly name: string; readonly text: string }[] = [];
  for (let at = 0; at + block <= tar.length; ) {
    const header = tar.subarray(at, at + block);
    const name = field(header, 0, 100);
    if (name === '') break;
    const size = Number.parseInt(field(header, 124, 12), 8);
    if (Number.isNaN(size) || field(header, 257, 5) !== 'ustar') throw new Error('it is no tar archive');
    files.push({ name, text: tar.toString('utf8', at + block, at + block + size) });
    at += block + Math.ceil(size / block) * block;
  }
  return files;
};
