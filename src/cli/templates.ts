import type { Argv } from 'yargs';
import { type CommonOptions, type Door, originOptions, show, table, withService } from './door.ts';

type Done = (code: Promise<number>) => Promise<void>;

export const templateCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List the templates Host Factory is offered',
        (each) => each.example('hf-aws templates list --json', 'the same for machines'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const answer = await service.getTemplates(originOptions(options));
              show(door, options, answer, ({ file, templates, rejected }) => {
                const rows = templates.map(({ templateId, priceType, maxNumber, vmType = '', attributes }) => {
                  const [ncpus, nram] = [attributes['ncpus']?.[1] ?? '', attributes['nram']?.[1] ?? ''];
                  return [templateId, priceType, String(maxNumber), vmType, ncpus, nram];
                });
                const left = rejected.map(
                  ({ templateId }) => `left out: ${templateId} (hf-aws templates validate ${templateId})`,
                );
                return [file, table(['TEMPLATE', 'PRICE', 'MAX', 'TYPE', 'NCPUS', 'NRAM'], rows), ...left].join('\n');
              });
              return 0;
            }),
          ),
      )
      .command(
        'validate <templateId>',
        'Check one template and report every problem; exit 1 when it has any',
        (each) =>
          each
            .positional('templateId', { type: 'string', demandOption: true, describe: 'The template to check' })
            .example('hf-aws templates validate od-m5', 'check template od-m5'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const answer = await service.validateTemplate({
                templateId: options.templateId,
                ...originOptions(options),
              });
              show(door, options, answer, ({ templateId, file, isValid, errors }) =>
                isValid
                  ? `${templateId} in ${file} is valid`
                  : errors.map(({ field, rule }) => `${templateId} in ${file}: ${field} ${rule}`).join('\n'),
              );
              return answer.isValid ? 0 : 1;
            }),
          ),
      )
      .demandCommand(1, 'Say what to do with the templates: list or validate');
