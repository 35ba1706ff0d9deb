/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** The page by paths, made from src/page by the build, which puts it in the place of this: without a build there is none. */
export const pageFiles: Readonly<Record<string, PageFile>> = {};
