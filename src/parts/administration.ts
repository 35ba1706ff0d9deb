/** What administrators use and Host Factory's scripts never do: a part of its own, so that they do not load it. */
export { checkTemplatesHandler } from '../application/queries/check-templates.ts';
export { recallFrom, rehearsedLive, rehearsedStreams } from '../application/rehearsal.ts';
export { createTemplateChecker } from '../config/template-checker.ts';
