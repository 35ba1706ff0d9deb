import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import type { GetRequestStatusAnswer } from '../application/queries/get-request-status.ts';
import { listFields } from '../application/read-model/listing.ts';
import { requestStatuses } from '../application/read-model/views.ts';
import { hasCode } from '../domain/errors.ts';
import { age, localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { explainOptions, runExplain } from './explain.ts';
import { templateOf } from './explain-launch.ts';
import { isForPeople, recordsOf, rowFormats } from './formats.ts';
import { requestIdOf, shortIds, shortMachineIds } from './ids.ts';
import { expectationOf, listingOf, showList, withExpectation, withListing } from './listing.ts';
import { commandOptions, originOptions, show, warn, withRehearsal, withService } from './run.ts';
import { commandIdOption, verbMissing, whole } from './usage.ts';
import { watchOptions, watchRequest } from './watch.ts';

/** As the service does it; of a template that is not there those that are, are told. */
const createRequest = async (
  service: ApplicationService,
  input: Parameters<ApplicationService['createRequest']>[0],
): ReturnType<ApplicationService['createRequest']> => {
  try {
    return await service.createRequest(input);
  } catch (error) {
    if (hasCode(error, 'template.not-found', 'input.invalid')) await templateOf(service, input.templateId);
    throw error;
  }
};

const requestIdArgument = {
  type: 'string',
  demandOption: true,
  describe: 'Id of a request or return, or the beginning of one',
} as const;

const idOfRequest = ({ requestId }: { readonly requestId: string }): string => requestId;

type RequestShown = Omit<GetRequestStatusAnswer, 'machines'>;
type MachineShown = NonNullable<GetRequestStatusAnswer['machines']>[number];

const requestColumns = (now: number, short: (id: string) => string): readonly Column<RequestShown>[] => [
  ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
  ['TEMPLATE', ({ templateId = '(return)' }) => templateId],
  ['STATUS', ({ status }) => status, 'whole'],
  ['WANTED', ({ wanted }) => String(wanted)],
  ['OK', ({ counts }) => String(counts.succeed)],
  ['WAIT', ({ counts }) => String(counts.executing)],
  ['FAIL', ({ counts }) => String(counts.fail)],
  ['AGE', ({ createdAt }) => age(now - Date.parse(createdAt))],
  ['CREATED', ({ createdAt }) => localTime(Date.parse(createdAt)), 'wide'],
  ['BY', ({ userId = '' }) => userId, 'wide'],
  ['MESSAGE', ({ message }) => message, 'wide'],
];

const requestTable = (options: CommonOptions, views: readonly RequestShown[]): string => {
  const short = options.wide === true ? String : shortIds(views.map(({ requestId }) => requestId));
  return columnTable(options, views, requestColumns(Date.now(), short), 'No request found.');
};

/** Without a type EC2 never showed it: nothing is there that could have ended. */
const unlessNeverSeen = ({ instanceType }: MachineShown, text: string): string => (instanceType === '' ? '-' : text);

const machineColumns = (short: (id: string) => string): readonly Column<MachineShown>[] => [
  ['MACHINE', ({ machineId }) => short(machineId), 'whole'],
  ['NAME', ({ name }) => name],
  ['RESULT', (machine) => (machine.result === 'succeed' ? unlessNeverSeen(machine, machine.result) : machine.result)],
  ['STATE', (machine) => unlessNeverSeen(machine, machine.status)],
  ['WHY', ({ message }) => message],
];

const machineTable = (options: CommonOptions, machines: readonly MachineShown[]): string => {
  const short = options.wide === true ? String : shortMachineIds(machines.map(({ machineId }) => machineId));
  return columnTable(options, machines, machineColumns(short), 'It has no machines.');
};

export const requestCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List requests, newest first',
        (each) =>
          withExpectation(withListing(each, listFields.requests))
            .option('output', rowFormats)
            .option('status', { choices: requestStatuses, describe: 'Only requests with this status' })
            .option('kind', {
              choices: ['create', 'return'] as const,
              describe: 'Only requests for machines, or only returns',
            })
            .option('template', { type: 'string', describe: 'Only requests of this template' })
            .option('by', { type: 'string', describe: 'Only requests of this user' })
            .example('hf-aws requests list --status running', 'what is still running')
            .example('hf-aws requests list --search m5 --sort-by wanted --page 2', 'search, sort and page'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { status, kind, template: templateId, by: requester } = options;
              const listing = await listingOf(service, options);
              const list = await service.listRequests({ status, kind, templateId, requester, ...listing });
              await showList(
                context,
                options,
                list,
                (views) => requestTable(options, views),
                recordsOf(operations.ListRequests.answer.properties.items.items, list.items, idOfRequest),
              );
              return 0;
            }),
          ),
      )
      .command(
        'show <requestId>',
        'Show one request from our records',
        (each) =>
          withExpectation(each)
            .option('output', rowFormats)
            .positional('requestId', requestIdArgument)
            .option('machines', { type: 'boolean', default: false, describe: 'Also show its machines' })
            .option('sync', { type: 'boolean', default: true, describe: 'Update it from EC2 first' })
            .example('hf-aws requests show req-… --machines', 'with its machines')
            .example('hf-aws requests show req-… --no-sync', 'without asking AWS anything'),
        (options) =>
          done(
            withService(context, options, async (service, may) => {
              const { machines: includeMachines, sync } = options;
              const requestId = await requestIdOf(service, options, options.requestId);
              if (sync && may.write) {
                const { unverified } = await service.syncRequests({
                  requestIds: [requestId],
                  claims: true,
                  ...originOptions(options),
                });
                warn(context, Object.values(unverified));
              }
              const { version, wait } = (await expectationOf(service, options, requestId)) ?? {};
              const expected = version === undefined || wait === undefined ? undefined : { version, wait };
              const view = await service.getRequestStatus({
                requestId,
                includeMachines,
                expected,
                ...originOptions(options),
              });
              if (view._warning !== undefined) warn(context, [view._warning]);
              await show(
                context,
                options,
                view,
                ({ machines, message, ...rest }) =>
                  [
                    requestId,
                    requestTable(options, [{ ...rest, message }]),
                    message,
                    ...(machines === undefined ? [] : [machineTable(options, machines)]),
                  ].join('\n'),
                recordsOf(operations.GetRequestStatus.answer, [view], idOfRequest),
              );
              return 0;
            }),
          ),
      )
      .command(
        'create <templateId> <count>',
        'Ask AWS for machines, as Host Factory would; prints the id of the request',
        (each) =>
          watchOptions(each)
            .option('output', rowFormats)
            .positional('templateId', { type: 'string', demandOption: true, describe: 'The template' })
            .positional('count', { ...whole('COUNT', 1, 10_000), demandOption: true, describe: 'Machines wanted' })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
            .option('wait', { type: 'boolean', default: false, describe: 'Follow it until it has finished' })
            .option('command-id', commandIdOption('request'))
            .example('hf-aws requests create od-m5 3', 'three hosts of template od-m5')
            .example('hf-aws requests create od-m5 3 --dry-run', 'what AWS would be asked for'),
        (options) => {
          const { templateId, count: maxNumber } = options;
          if (options.dryRun) {
            const rehearse = async (service: ApplicationService) => {
              const answer = await createRequest(service, { templateId, maxNumber });
              const { due } = await service.explain({ id: answer.requestId });
              return { ...answer, ...(due === undefined ? {} : { due }) };
            };
            return done(withRehearsal(context, options, rehearse));
          }
          let created = '';
          const create = (): Promise<number> =>
            withService(context, options, async (service) => {
              const answer = await createRequest(service, { templateId, maxNumber, ...commandOptions(options) });
              created = answer.requestId;
              // Before its id is told: whoever knows it must not lose it.
              await service.claimRequest({ requestId: created, ...originOptions(options) });
              // What is followed is told once, at its end.
              if (!options.wait || isForPeople(options))
                await show(
                  context,
                  options,
                  answer,
                  ({ requestId, message }) => `${requestId}\n${message}`,
                  recordsOf(operations.CreateRequest.answer, [answer], idOfRequest),
                );
              return 0;
            });
          return done(
            create().then((code) => (code === 0 && options.wait ? watchRequest(context, options, created) : code)),
          );
        },
      )
      .command(
        'cancel <requestId>',
        'Cancel a request that is still running, and terminate its machines',
        (each) =>
          each
            .positional('requestId', requestIdArgument)
            .option('reason', { type: 'string', default: 'by the administrator', describe: 'Reported to Host Factory' })
            .option('command-id', commandIdOption('answer'))
            .example('hf-aws requests cancel req-… --reason "wrong template"', 'cancel it, with a reason'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { reason } = options;
              const requestId = await requestIdOf(service, options, options.requestId);
              const answer = await service.cancelRequest({ requestId, reason, ...commandOptions(options) });
              await show(context, options, answer, ({ version }) => `${requestId} is cancelled (version ${version})`);
              return 0;
            }),
          ),
      )
      .command(
        'watch <requestId>',
        'Follow a request until it has finished; exit 1 unless it is complete',
        (each) =>
          watchOptions(each)
            .positional('requestId', requestIdArgument)
            .example('hf-aws requests watch req-…', 'machines by state, until it has finished'),
        (options) => done(watchRequest(context, options, options.requestId)),
      )
      .command('explain <id>', 'Explain what happened to a request, and what to do', explainOptions, (options) =>
        done(runExplain(context, options)),
      )
      .strict()
      .demandCommand(1, verbMissing('requests', 'list', 'show', 'watch', 'explain', 'create', 'cancel'));
