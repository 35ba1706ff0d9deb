import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/application-service.ts';
import type { ReconcileAnswer } from '../application/commands/reconcile.ts';
import { type CommonOptions, type Door, originOptions, show, table, warn, withService } from './door.ts';
import { progressBar } from './progress.ts';

const words = { release: 'due', wait: 'seen', leave: 'left alone' } as const;

const findingTable = ({ findings, released }: ReconcileAnswer): string =>
  findings.length === 0
    ? 'Nothing is out of place.'
    : table(
        ['WHAT', 'ID', 'REQUEST', 'WHY', 'SINCE', 'STATE'],
        findings.map(({ kind, id, requestId, why, verdict, since }) => [
          kind,
          id,
          requestId === '' ? '-' : requestId,
          why,
          new Date(since).toISOString(),
          released.includes(id) ? 'released' : words[verdict],
        ]),
      );

export const reconcileOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('apply', { type: 'boolean', default: false, describe: 'Release what is due; without it only look' })
    .example('hf-aws reconcile', 'what runs at AWS and nobody will ask about')
    .example('hf-aws reconcile --apply', 'release what was seen before and is old enough');

/** Exit 1 when something due could not be released. */
export const runReconcile = (door: Door, options: CommonOptions & { readonly apply: boolean }): Promise<number> => {
  const { tell, during } = progressBar(door, options, 'looks at AWS');
  const act = async (service: ApplicationService): Promise<number> => {
    const answer = await during(service.reconcile({ apply: options.apply, ...originOptions(options) }));
    warn(door, answer.warnings);
    show(door, options, answer, findingTable);
    return options.apply && answer.warnings.length > 0 ? 1 : 0;
  };
  return withService(door, options, act, { progress: tell });
};
