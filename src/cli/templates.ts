import type { Argv } from 'yargs';
import { type CommonOptions, type Door, originOptions, readPairs, show, table, withService } from './door.ts';
import { listingOf, showList, withListing } from './listing.ts';

type Done = (code: Promise<number>) => Promise<void>;

export const templateCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List the templates Host Factory is offered',
        (each) =>
          withListing(each)
            .option('filter', {
              type: 'string',
              array: true,
              default: [],
              describe: 'field=value, e.g. priceType=spot',
            })
            .strict()
            .example(
              'hf-aws templates list --filter priceType=ondemand --json',
              'those that RunInstances serves, for machines',
            ),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { expected: _none, ...listing } = listingOf(options);
              const list = await service.listTemplates({ filters: readPairs(options.filter), ...listing });
              showList(door, options, list, (templates) => {
                const rows = templates.map(({ templateId, priceType, maxNumber, vmType = '', attributes }) => {
                  const [ncpus, nram] = [attributes['ncpus']?.[1] ?? '', attributes['nram']?.[1] ?? ''];
                  return [templateId, priceType, String(maxNumber), vmType, ncpus, nram];
                });
                return `${list.file}\n${table(['TEMPLATE', 'PRICE', 'MAX', 'TYPE', 'NCPUS', 'NRAM'], rows)}`;
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
      .strict()
      .demandCommand(1, 'Say what to do with the templates: list or validate');
