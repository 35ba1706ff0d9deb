import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import type { ListMachinesAnswer } from '../application/queries/list-machines.ts';
import { listFields } from '../application/read-model/listing.ts';
import { PluginError } from '../domain/errors.ts';
import { machineStates } from '../domain/machine.ts';
import { age, localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { explainOptions, runExplain } from './explain.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { machineIdOf, requestIdOf, shortIds, shortMachineIds } from './ids.ts';
import { listingOf, showList, withExpectation, withListing } from './listing.ts';
import { commandOptions, originOptions, show, withRehearsal, withService } from './run.ts';
import { fieldTable } from './table.ts';
import { commandIdOption, pairs, verbMissing } from './usage.ts';

type MachineRow = ListMachinesAnswer['items'][number];

const recordsOfMachines = (rows: readonly MachineRow[]) =>
  recordsOf(operations.ListMachines.answer.properties.items.items, rows, ({ machineId }) => machineId);

const launched = ({ launchTime }: MachineRow): string =>
  launchTime === undefined ? '-' : localTime(Date.parse(launchTime));

const machineColumns = (
  now: number,
  shortMachine: (id: string) => string,
  short: (id: string) => string,
): readonly Column<MachineRow>[] => [
  ['MACHINE', ({ machineId }) => shortMachine(machineId), 'whole'],
  ['NAME', ({ name }) => name],
  ['STATE', ({ status }) => status],
  ['TYPE', ({ instanceType }) => instanceType],
  ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
  ['AGE', ({ launchTime }) => (launchTime === undefined ? '-' : age(now - Date.parse(launchTime)))],
  ['TEMPLATE', ({ templateId }) => templateId, 'wide'],
  ['MARKET', ({ priceType }) => priceType, 'wide'],
  ['ADDRESS', ({ privateIpAddress }) => privateIpAddress, 'wide'],
  ['LAUNCHED', launched, 'wide'],
  ['WHY', ({ message }) => message, 'wide'],
];

const machineTable = (options: CommonOptions, machines: readonly MachineRow[]): string => {
  const short = options.wide === true ? String : shortIds(machines.map(({ requestId }) => requestId));
  const shortMachine = options.wide === true ? String : shortMachineIds(machines.map(({ machineId }) => machineId));
  return columnTable(options, machines, machineColumns(Date.now(), shortMachine, short), 'No machine found.');
};

export const machineCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List machines as last seen',
        (each) =>
          withExpectation(withListing(each, listFields.machines))
            .option('output', rowFormats)
            .option('status', { choices: machineStates, describe: 'EC2 state' })
            .option('request', { type: 'string', describe: 'Only machines of this request' })
            .option('template', { type: 'string', describe: 'Only machines of this template' })
            .example('hf-aws machines list --status running', 'what runs'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { status, request, template: templateId } = options;
              const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
              const listing = await listingOf(service, options);
              const list = await service.listMachines({ status, requestId, templateId, ...listing });
              await showList(
                context,
                options,
                list,
                (machines) => machineTable(options, machines),
                recordsOfMachines(list.items),
              );
              return 0;
            }),
          ),
      )
      .command(
        'show <machineId>',
        'Show one machine as last seen',
        (each) =>
          each
            .option('output', rowFormats)
            .positional('machineId', {
              type: 'string',
              demandOption: true,
              describe: 'Id, the beginning of one, or name',
            })
            .example('hf-aws machines show i-0123456789abcdef0', 'its state, address, request and template'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const machineId = await machineIdOf(service, options, options.machineId);
              const { items } = await service.listMachines({
                query: machineId,
                limit: 10_000,
                ...originOptions(options),
              });
              const machine = items.find((each) => each.machineId === machineId);
              if (machine === undefined)
                throw new PluginError('machine.not-found', `no machine "${machineId}" is on record`);
              await show(
                context,
                options,
                machine,
                (fields) => fieldTable({ ...fields, launchTime: launched(fields) }),
                recordsOfMachines([machine]),
              );
              return 0;
            }),
          ),
      )
      .command(
        'return <machines..>',
        'Give machines back to AWS by id or name; prints the id of the return request',
        (each) =>
          each
            .option('output', rowFormats)
            .positional('machines', {
              type: 'string',
              array: true,
              demandOption: true,
              describe: 'Ids, beginnings of ids, or names',
            })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
            .option('command-id', commandIdOption('return'))
            .example('hf-aws machines return i-0123456789abcdef0', 'terminate one machine of ours')
            .example('hf-aws machines return i-0123456789abcdef0 --dry-run', 'what AWS would be asked for'),
        (options) => {
          const machinesOf = (service: ApplicationService) =>
            Promise.all(
              options.machines.map(async (host) =>
                /^i-/i.test(host)
                  ? { name: '', machineId: await machineIdOf(service, options, host.toLowerCase()) }
                  : { name: host, machineId: '' },
              ),
            );
          if (options.dryRun) {
            return done(
              withRehearsal(context, options, async (service) =>
                service.returnMachines({ machines: await machinesOf(service) }),
              ),
            );
          }
          return done(
            withService(context, options, async (service) => {
              const machines = await machinesOf(service);
              const answer = await service.returnMachines({ machines, onlyKnown: true, ...commandOptions(options) });
              await show(
                context,
                options,
                answer,
                ({ requestId, message }) => `${requestId}\n${message}`,
                recordsOf(operations.ReturnMachines.answer, [answer], ({ requestId }) => requestId),
              );
              return 0;
            }),
          );
        },
      )
      .command(
        'set-status <machineId> <status>',
        'Record the state of a machine by hand, when EC2 cannot be asked',
        (each) =>
          each
            .positional('machineId', {
              type: 'string',
              demandOption: true,
              describe: 'Id, the beginning of one, or name',
            })
            .positional('status', { choices: machineStates, demandOption: true, describe: 'EC2 state' })
            .option('command-id', commandIdOption('answer'))
            .option('metadata', {
              type: 'string',
              array: true,
              default: [] as string[],
              describe: 'key=value, stored with the event',
              coerce: pairs('--metadata'),
            })
            .example(
              'hf-aws machines set-status i-0123456789abcdef0 terminated --metadata by=ops',
              'record that it has gone',
            ),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { status, metadata } = options;
              const machineId = await machineIdOf(service, options, options.machineId);
              const answer = await service.updateMachineStatus({
                machineId,
                status,
                metadata,
                ...commandOptions(options),
              });
              await show(
                context,
                options,
                answer,
                ({ requestId, version }) => `${machineId} is ${status} on ${requestId} (version ${version})`,
              );
              return 0;
            }),
          ),
      )
      .command('explain <id>', 'Explain what happened to a machine', explainOptions, (options) =>
        done(runExplain(context, options)),
      )
      .strict()
      .demandCommand(1, verbMissing('machines', 'list', 'show', 'explain', 'return', 'set-status'));
