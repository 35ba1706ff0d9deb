/** What administrators use and Host Factory's scripts never do: a part of its own, so that they do not load it. */

export {
  recallFrom,
  rehearsedFailures,
  rehearsedLive,
  rehearsedOfferings,
  rehearsedStreams,
} from '../../application/rehearsal.ts';
export { messageProblems } from '../../json/message-problems.ts';
export { configurationReport } from '../../setup/configuration-report.ts';
export { importTree } from '../../setup/import-tree.ts';
export { installationChecks } from '../../setup/installation.ts';
export { findProvider, registeredProviders } from '../../setup/registration.ts';
export { diagnoseScriptWay } from '../../setup/script-way.ts';
export { setUp, setUpFault } from '../../setup/set-up.ts';
export { unregister } from '../../setup/unregister.ts';
export { diagnoseWorkFolder } from '../../storage/work-folder.ts';
export { createTemplateChecker } from '../../templates/template-checker.ts';
export { createTemplateOrigins } from '../../templates/template-origins.ts';
