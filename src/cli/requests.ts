import type { Argv } from 'yargs';
import { type RequestView, requestStatuses } from '../application/views.ts';
import {
  type CommonOptions,
  commandOptions,
  type Door,
  originOptions,
  show,
  table,
  warn,
  withRehearsal,
  withService,
} from './door.ts';
import { explainOptions, runExplain } from './explain.ts';
import { expectationOf, listingOf, showList, withExpectation, withListing } from './listing.ts';
import { watchOptions, watchRequest } from './watch.ts';

type Done = (code: Promise<number>) => Promise<void>;

const requestTable = (views: readonly Omit<RequestView, 'machines'>[]): string =>
  table(
    ['REQUEST', 'TEMPLATE', 'STATUS', 'WANTED', 'OK', 'WAIT', 'FAIL', 'CREATED'],
    views.map(({ requestId, templateId = '-', status, wanted, counts, createdAt }) => [
      requestId,
      templateId,
      status,
      String(wanted),
      String(counts.succeed),
      String(counts.executing),
      String(counts.fail),
      new Date(createdAt).toISOString(),
    ]),
  );

export const requestCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List requests, newest first',
        (each) =>
          withExpectation(withListing(each))
            .option('status', { choices: requestStatuses })
            .option('kind', { choices: ['create', 'return'] as const })
            .option('template', { type: 'string', describe: 'Only requests of this template' })
            .option('by', { type: 'string', describe: 'Only what this user asked for' })
            .example('hf-aws requests list --status running', 'what is still on its way')
            .example('hf-aws requests list --search m5 --sort-by wanted --page 2', 'search, sort and page'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { status, kind, template: templateId, by: requester } = options;
              const list = await service.listRequests({ status, kind, templateId, requester, ...listingOf(options) });
              showList(door, options, list, requestTable);
              return 0;
            }),
          ),
      )
      .command(
        'show <requestId>',
        'Show one request as our records have it',
        (each) =>
          withExpectation(each)
            .positional('requestId', { type: 'string', demandOption: true })
            .option('machines', { type: 'boolean', default: false, describe: 'Also its machines' })
            .option('sync', { type: 'boolean', default: true, describe: 'Look at EC2 first' })
            .example('hf-aws requests show req-… --machines', 'with its machines')
            .example('hf-aws requests show req-… --no-sync', 'without asking AWS anything'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { requestId, machines: includeMachines, sync } = options;
              if (sync) {
                const { unverified } = await service.syncRequests({
                  requestIds: [requestId],
                  claims: true,
                  ...originOptions(options),
                });
                warn(door, [...unverified.values()]);
              }
              const expected = expectationOf(options, requestId);
              const view = await service.getRequestStatus({
                requestId,
                includeMachines,
                expected,
                ...originOptions(options),
              });
              if (view._warning !== undefined) warn(door, [view._warning]);
              show(door, options, view, ({ machines, message, ...rest }) => {
                const rows = (machines ?? []).map(({ machineId, name, result, status, message: why }) => [
                  machineId,
                  name,
                  result,
                  status,
                  why,
                ]);
                const list = machines === undefined ? [] : [table(['MACHINE', 'NAME', 'RESULT', 'STATE', 'WHY'], rows)];
                return [requestTable([{ ...rest, message }]), message, ...list].join('\n');
              });
              return 0;
            }),
          ),
      )
      .command(
        'create <templateId> <count>',
        'Ask AWS for machines, as Host Factory would; prints the id of the request',
        (each) =>
          watchOptions(each)
            .positional('templateId', { type: 'string', demandOption: true })
            .positional('count', { type: 'number', demandOption: true })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
            .option('wait', { type: 'boolean', default: false, describe: 'Follow it until it is over' })
            .option('command-id', { type: 'string', describe: 'UUID: the same again gives the same request' })
            .example('hf-aws requests create od-m5 3', 'three hosts of template od-m5')
            .example('hf-aws requests create od-m5 3 --dry-run', 'what AWS would be asked for'),
        (options) => {
          const { templateId, count: maxNumber } = options;
          if (options.dryRun) {
            return done(withRehearsal(door, options, (service) => service.createRequest({ templateId, maxNumber })));
          }
          let created = '';
          const create = (): Promise<number> =>
            withService(door, options, async (service) => {
              const answer = await service.createRequest({ templateId, maxNumber, ...commandOptions(options) });
              created = answer.requestId;
              // Before its id is told: whoever knows it must not lose it.
              await service.claimRequest({ requestId: created, ...originOptions(options) });
              // What is followed is told once, at its end.
              if (!(options.wait && options.json === true))
                show(door, options, answer, ({ requestId, message }) => `${requestId}\n${message}`);
              return 0;
            });
          return done(
            create().then((code) => (code === 0 && options.wait ? watchRequest(door, options, created) : code)),
          );
        },
      )
      .command(
        'cancel <requestId>',
        'End a request that is still running: its machines are terminated',
        (each) =>
          each
            .positional('requestId', { type: 'string', demandOption: true })
            .option('reason', { type: 'string', default: 'by the administrator', describe: 'Told to Host Factory' })
            .option('command-id', { type: 'string', describe: 'UUID: the same again gives the same answer' })
            .example('hf-aws requests cancel req-… --reason "wrong template"', 'give it up'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { requestId, reason } = options;
              const answer = await service.cancelRequest({ requestId, reason, ...commandOptions(options) });
              show(door, options, answer, ({ version }) => `${requestId} is cancelled (version ${version})`);
              return 0;
            }),
          ),
      )
      .command(
        'watch <requestId>',
        'Follow a request until it is over; exit 1 unless it ends complete',
        (each) =>
          watchOptions(each)
            .positional('requestId', { type: 'string', demandOption: true })
            .example('hf-aws requests watch req-…', 'machines by state, until all is settled'),
        (options) => done(watchRequest(door, options, options.requestId)),
      )
      .command('explain <id>', 'Tell in words what happened to a request, and what to do', explainOptions, (options) =>
        done(runExplain(door, options)),
      )
      .strict()
      .demandCommand(1, 'Say what to do with requests: list, show, watch, explain, create or cancel');
