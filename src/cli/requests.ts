import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import type { GetRequestStatusAnswer } from '../application/queries/get-request-status.ts';
import { listFields } from '../application/read-model/listing.ts';
import { hasCode } from '../domain/errors.ts';
import { ageOf, type Column, columnTable, timeOf } from './columns.ts';
import { command, fromOperation, noun } from './command.ts';
import type { CommonOptions } from './context.ts';
import { explainCommand } from './explain.ts';
import { templateOf } from './explain-launch.ts';
import { isForPeople, recordsOf, rowFormats } from './formats.ts';
import { idDescriptions, requestIdOf, shortIds, shortMachineIds } from './ids.ts';
import { expectationOf, withExpectation } from './listing.ts';
import { commandOptions, originOptions, show, warn, withRehearsal, withService } from './run.ts';
import { commandIdOption, sortField, whole } from './usage.ts';
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
  describe: idDescriptions.requestId,
} as const;

const idOfRequest = ({ requestId }: { readonly requestId: string }): string => requestId;

type RequestShown = Omit<GetRequestStatusAnswer, 'machines'>;
type MachineShown = NonNullable<GetRequestStatusAnswer['machines']>[number];

const requestColumns = (views: readonly RequestShown[], options: CommonOptions): readonly Column<RequestShown>[] => {
  const short = shortIds(views.map(idOfRequest), options);
  return [
    ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
    ['TEMPLATE', ({ templateId = '(return)' }) => templateId],
    ['STATUS', ({ status }) => status, 'whole'],
    ['WANTED', ({ wanted }) => String(wanted)],
    ['OK', ({ counts }) => String(counts.succeed)],
    ['WAIT', ({ counts }) => String(counts.executing)],
    ['FAIL', ({ counts }) => String(counts.fail)],
    ['AGE', ({ createdAt }) => ageOf(createdAt)],
    ['CREATED', ({ createdAt }) => timeOf(createdAt), 'wide'],
    ['BY', ({ userId = '' }) => userId, 'wide'],
    ['MESSAGE', ({ message }) => message, 'wide'],
  ];
};

/** Without a type EC2 never showed it: nothing is there that could have ended. */
const unlessNeverSeen = ({ instanceType }: MachineShown, text: string): string => (instanceType === '' ? '-' : text);

const machineTable = (options: CommonOptions, machines: readonly MachineShown[]): string => {
  const short = shortMachineIds(
    machines.map(({ machineId }) => machineId),
    options,
  );
  const columns: readonly Column<MachineShown>[] = [
    ['MACHINE', ({ machineId }) => short(machineId), 'whole'],
    ['NAME', ({ name }) => name],
    ['RESULT', (machine) => (machine.result === 'succeed' ? unlessNeverSeen(machine, machine.result) : machine.result)],
    ['STATE', (machine) => unlessNeverSeen(machine, machine.status)],
    ['WHY', ({ message }) => message],
  ];
  return columnTable(options, machines, columns, 'It has no machines.');
};

export const requests = noun('requests', 'Requests for machines, and returns', [
  fromOperation('list', operations.ListRequests, {
    forms: { sortBy: { coerce: sortField(listFields.requests) }, requester: { as: 'by' } },
    examples: [
      ['hf-aws requests list --status running', 'what is still running'],
      ['hf-aws requests list --search m5 --sort-by wanted --page 2', 'search, sort and page'],
    ],
    rows: 'items',
    id: 'requestId',
    columns: requestColumns,
    empty: 'No request found.',
  }),
  command(
    'show <requestId>',
    'Show one request from our records',
    (yargs) =>
      withExpectation(yargs)
        .option('output', rowFormats)
        .positional('requestId', requestIdArgument)
        .option('machines', { type: 'boolean', default: false, describe: 'Also show its machines' })
        .option('sync', { type: 'boolean', default: true, describe: 'Update it from EC2 first' })
        .example('hf-aws requests show req-… --machines', 'with its machines')
        .example('hf-aws requests show req-… --no-sync', 'without asking AWS anything'),
    (context, options) =>
      withService(context, options, async (service, may) => {
        const { machines: includeMachines, sync } = options;
        const origin = originOptions(options);
        const requestId = await requestIdOf(service, options, options.requestId);
        if (sync && may.write) {
          const { unverified } = await service.syncRequests({ requestIds: [requestId], claims: true, ...origin });
          warn(context, Object.values(unverified));
        }
        const { version, wait } = (await expectationOf(service, options, requestId)) ?? {};
        const view = await service.getRequestStatus({
          requestId,
          includeMachines,
          expected: version === undefined || wait === undefined ? undefined : { version, wait },
          ...origin,
        });
        if (view._warning !== undefined) warn(context, [view._warning]);
        await show(
          context,
          options,
          view,
          ({ machines, ...request }) =>
            [
              requestId,
              columnTable(options, [request], requestColumns([request], options), ''),
              request.message,
              ...(machines === undefined ? [] : [machineTable(options, machines)]),
            ].join('\n'),
          recordsOf(operations.GetRequestStatus.answer, [view], idOfRequest),
        );
        return 0;
      }),
  ),
  command(
    'create <templateId> <count>',
    'Ask AWS for machines, as Host Factory would; prints the id of the request',
    (yargs) =>
      watchOptions(yargs)
        .option('output', rowFormats)
        .positional('templateId', { type: 'string', demandOption: true, describe: 'The template' })
        .positional('count', { ...whole('COUNT', 1, 10_000), demandOption: true, describe: 'Machines wanted' })
        .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
        .option('wait', { type: 'boolean', default: false, describe: 'Follow it until it has finished' })
        .option('command-id', commandIdOption('request'))
        .example('hf-aws requests create od-m5 3', 'three hosts of template od-m5')
        .example('hf-aws requests create od-m5 3 --dry-run', 'what AWS would be asked for'),
    async (context, options) => {
      const { templateId, count: maxNumber } = options;
      if (options.dryRun)
        return withRehearsal(context, options, async (service) => {
          const answer = await createRequest(service, { templateId, maxNumber });
          const { due } = await service.explain({ id: answer.requestId });
          return { ...answer, ...(due === undefined ? {} : { due }) };
        });
      let created = '';
      const code = await withService(context, options, async (service) => {
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
      return code === 0 && options.wait ? watchRequest(context, options, created) : code;
    },
  ),
  fromOperation('cancel <requestId>', operations.CancelRequest, {
    forms: { reason: { default: 'by the administrator' } },
    repeats: 'answer',
    examples: [['hf-aws requests cancel req-… --reason "wrong template"', 'cancel it, with a reason']],
    text: ({ requestId, version }) => [`${requestId} is cancelled (version ${version})`],
  }),
  command(
    'watch <requestId>',
    'Follow a request until it has finished; exit 1 unless it is complete',
    (yargs) =>
      watchOptions(yargs)
        .positional('requestId', requestIdArgument)
        .example('hf-aws requests watch req-…', 'machines by state, until it has finished'),
    (context, options) => watchRequest(context, options, options.requestId),
  ),
  explainCommand,
]);
