import { pathToFileURL } from 'node:url';

/** What CommonJS has no word for. esbuild puts it into the files that ask for `import.meta.url`. */
export const importMetaUrl = pathToFileURL(__filename).href;
