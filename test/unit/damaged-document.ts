import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Cuts the first document of a request off in the middle. Answers with its path. */
export const damage = async (workDir: string, requestId: string): Promise<string> => {
  const path = join(workDir, 'requests', requestId, '000000000.json');
  await writeFile(path, '{"stream":"req-');
  return path;
};
