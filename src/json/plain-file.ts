import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The descriptor of a file, at once: also of a pipe that nobody writes to. */
export const openForReading = (path: string): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);

/** The content of a plain file. Nothing else is read: a pipe or a device may never come to its end. */
export const readPlainFile = (path: string): Buffer => {
  const descriptor = openForReading(path);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile())
      throw new Error(`${path} is ${stats.isDirectory() ? 'a folder' : 'a pipe or a device'}, not a plain file`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
