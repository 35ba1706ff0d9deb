import type { Argv } from 'yargs';
import { type CommonOptions, type Door, originOptions, show, table, withService } from './door.ts';

type Done = (code: Promise<number>) => Promise<void>;

const minutesLeft = (expiresAt: number): string => `${Math.max(1, Math.ceil((expiresAt - Date.now()) / 60_000))} min`;

export const offeringCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List what launches keep clear of: offerings EC2 refused lately, templates whose machines all failed',
        (each) => each.example('hf-aws offerings list', 'why another subnet or type is chosen'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const answer = await service.listOfferings(originOptions(options));
              show(door, options, answer, ({ refused, templates }) =>
                [
                  table(
                    ['MARKET', 'TYPE', 'SUBNET', 'CODE', 'FOR'],
                    refused.map(({ market, instanceType = 'all', subnetId = 'all', code, expiresAt }) => [
                      market,
                      instanceType,
                      subnetId,
                      code,
                      minutesLeft(expiresAt),
                    ]),
                  ),
                  ...templates.map(
                    (each) =>
                      `${each.templateId}: ${each.failures} machines in a row died or never became usable${each.isProtected ? '; it launches nothing' : ''}`,
                  ),
                ].join('\n'),
              );
              return 0;
            }),
          ),
      )
      .command(
        'clear',
        'Forget it: the next request asks EC2 again',
        (each) =>
          each
            .option('type', { type: 'string', describe: 'Only offerings of this instance type' })
            .option('template', { type: 'string', describe: 'Only the failures of this template' })
            .conflicts('type', 'template')
            .example('hf-aws offerings clear', 'forget all')
            .example('hf-aws offerings clear --template od-m5-large', 'let a mended template launch again'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { type, template } = options;
              const answer = await service.clearOfferings({
                ...(type === undefined ? {} : { instanceType: type }),
                ...(template === undefined ? {} : { templateId: template }),
                ...originOptions(options),
              });
              show(
                door,
                options,
                answer,
                ({ offerings, templates }) =>
                  `${offerings} offerings and the failures of ${templates.length} templates are forgotten.`,
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, 'Say what to do with offerings: list or clear');
