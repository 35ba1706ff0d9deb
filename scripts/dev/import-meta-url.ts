import { pathToFileURL } from 'node:url';

/** What CommonJS has no word for. esbuild puts it into the files that ask for `import.meta.url`, and into no other: it takes time. */
export const importMetaUrl = /* @__PURE__ */ (() => pathToFileURL(__filename).href)();
