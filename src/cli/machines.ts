import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import { listFields } from '../application/read-model/listing.ts';
import { PluginError } from '../domain/errors.ts';
import { ageOf, timeOf } from './columns.ts';
import { command, fromOperation, noun } from './command.ts';
import { explainCommand } from './explain.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { idDescriptions, machineIdOf, shortIds, shortMachineIds } from './ids.ts';
import { commandOptions, originOptions, show, withRehearsal, withService } from './run.ts';
import { fieldTable } from './table.ts';
import { commandIdOption, sortField } from './usage.ts';

export const machines = noun('machines', 'Machines', [
  fromOperation('list', operations.ListMachines, {
    leftOut: ['machineId'],
    forms: { sortBy: { coerce: sortField(listFields.machines) } },
    examples: [['hf-aws machines list --status running', 'what runs']],
    rows: 'items',
    id: 'machineId',
    columns: (rows, options) => {
      const short = shortIds(
        rows.map(({ requestId }) => requestId),
        options,
      );
      const shortMachine = shortMachineIds(
        rows.map(({ machineId }) => machineId),
        options,
      );
      return [
        ['MACHINE', ({ machineId }) => shortMachine(machineId), 'whole'],
        ['NAME', ({ name }) => name],
        ['STATE', ({ status }) => status],
        ['TYPE', ({ instanceType }) => instanceType],
        ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
        ['AGE', ({ launchTime }) => ageOf(launchTime)],
        ['TEMPLATE', ({ templateId }) => templateId, 'wide'],
        ['MARKET', ({ priceType }) => priceType, 'wide'],
        ['ADDRESS', ({ privateIpAddress }) => privateIpAddress, 'wide'],
        ['LAUNCHED', ({ launchTime }) => timeOf(launchTime), 'wide'],
        ['WHY', ({ message }) => message, 'wide'],
      ];
    },
    empty: 'No machine found.',
  }),
  command(
    'show <machineId>',
    'Show one machine as last seen',
    (yargs) =>
      yargs
        .option('output', rowFormats)
        .positional('machineId', { type: 'string', demandOption: true, describe: idDescriptions.machineId })
        .example('hf-aws machines show i-0123456789abcdef0', 'its state, address, request and template'),
    (context, options) =>
      withService(context, options, async (service) => {
        const machineId = await machineIdOf(service, options, options.machineId);
        const { items } = await service.listMachines({ machineId, limit: 1, ...originOptions(options) });
        const [machine] = items;
        if (machine === undefined) throw new PluginError('machine.not-found', `no machine "${machineId}" is on record`);
        await show(
          context,
          options,
          machine,
          (fields) => fieldTable({ ...fields, launchTime: timeOf(fields.launchTime) }),
          recordsOf(operations.ListMachines.answer.properties.items.items, [machine], () => machineId),
        );
        return 0;
      }),
  ),
  command(
    'return <machines..>',
    'Give machines back to AWS by id or name; prints the id of the return request',
    (yargs) =>
      yargs
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
    (context, options) => {
      const machinesOf = (service: ApplicationService) =>
        Promise.all(
          options.machines.map(async (host) =>
            /^i-/i.test(host)
              ? { name: '', machineId: await machineIdOf(service, options, host.toLowerCase()) }
              : { name: host, machineId: '' },
          ),
        );
      if (options.dryRun)
        return withRehearsal(context, options, async (service) =>
          service.returnMachines({ machines: await machinesOf(service) }),
        );
      return withService(context, options, async (service) => {
        const hosts = await machinesOf(service);
        const answer = await service.returnMachines({ machines: hosts, onlyKnown: true, ...commandOptions(options) });
        await show(
          context,
          options,
          answer,
          ({ requestId, message }) => `${requestId}\n${message}`,
          recordsOf(operations.ReturnMachines.answer, [answer], ({ requestId }) => requestId),
        );
        return 0;
      });
    },
  ),
  fromOperation('set-status <machineId> <status>', operations.UpdateMachineStatus, {
    leftOut: ['requestId'],
    forms: { metadata: { describe: 'key=value, stored with the event' } },
    repeats: 'answer',
    examples: [
      ['hf-aws machines set-status i-0123456789abcdef0 terminated --metadata by=ops', 'record that it has gone'],
    ],
    text: ({ requestId, version }, _table, { machineId, status }) => [
      `${machineId} is ${status} on ${requestId} (version ${version})`,
    ],
  }),
  explainCommand,
]);
