import type { Argv } from 'yargs';
import { PluginError } from '../domain/errors.ts';
import { machineStates } from '../domain/machine.ts';
import {
  type CommonOptions,
  commandOptions,
  type Door,
  fieldTable,
  originOptions,
  readPairs,
  show,
  table,
  withRehearsal,
  withService,
} from './door.ts';
import { explainOptions, runExplain } from './explain.ts';
import { listingOf, showList, withExpectation, withListing } from './listing.ts';

type Done = (code: Promise<number>) => Promise<void>;

export const machineCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List machines as last seen',
        (each) =>
          withExpectation(withListing(each))
            .option('status', { choices: machineStates, describe: 'EC2 state' })
            .option('request', { type: 'string', describe: 'Only machines of this request' })
            .option('template', { type: 'string', describe: 'Only machines of this template' })
            .example('hf-aws machines list --status running', 'what runs'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { status, request: requestId, template: templateId } = options;
              const list = await service.listMachines({ status, requestId, templateId, ...listingOf(options) });
              showList(door, options, list, (views) =>
                table(
                  ['MACHINE', 'NAME', 'STATE', 'TYPE', 'ADDRESS', 'REQUEST'],
                  views.map((view) => [
                    view.machineId,
                    view.name,
                    view.status,
                    view.instanceType,
                    view.privateIpAddress,
                    view.requestId,
                  ]),
                ),
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
            .positional('machineId', { type: 'string', demandOption: true })
            .example('hf-aws machines show i-0123456789abcdef0', 'its state, address, request and template'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { machineId } = options;
              const { items } = await service.listMachines({
                query: machineId,
                limit: 10_000,
                ...originOptions(options),
              });
              const machine = items.find((each) => each.machineId === machineId);
              if (machine === undefined)
                throw new PluginError('machine.not-found', `no machine "${machineId}" is on record`);
              show(door, options, machine, fieldTable);
              return 0;
            }),
          ),
      )
      .command(
        'return <machines..>',
        'Give machines back to AWS by id or name; prints the id of the return request',
        (each) =>
          each
            .positional('machines', { type: 'string', array: true, demandOption: true })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
            .option('command-id', { type: 'string', describe: 'UUID: the same again gives the same return' })
            .example('hf-aws machines return i-0123456789abcdef0', 'terminate one machine of ours')
            .example('hf-aws machines return i-0123456789abcdef0 --dry-run', 'what AWS would be asked for'),
        (options) => {
          const machines = options.machines.map((host) =>
            host.startsWith('i-') ? { name: '', machineId: host } : { name: host, machineId: '' },
          );
          if (options.dryRun) {
            return done(withRehearsal(door, options, (service) => service.returnMachines({ machines })));
          }
          return done(
            withService(door, options, async (service) => {
              const answer = await service.returnMachines({ machines, ...commandOptions(options) });
              show(door, options, answer, ({ requestId, message }) => `${requestId}\n${message}`);
              return 0;
            }),
          );
        },
      )
      .command(
        'set-status <machineId> <status>',
        'Record a state somebody saw, when EC2 cannot be asked',
        (each) =>
          each
            .positional('machineId', { type: 'string', demandOption: true })
            .positional('status', { choices: machineStates, demandOption: true })
            .option('command-id', { type: 'string', describe: 'UUID: the same again gives the same answer' })
            .option('metadata', {
              type: 'string',
              array: true,
              default: [],
              describe: 'key=value, kept with the event',
            })
            .example('hf-aws machines set-status i-0123456789abcdef0 terminated --metadata by=ops', 'it is gone'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { machineId, status, metadata } = options;
              const answer = await service.updateMachineStatus({
                machineId,
                status,
                metadata: readPairs(metadata),
                ...commandOptions(options),
              });
              show(
                door,
                options,
                answer,
                ({ requestId, version }) => `${machineId} is ${status} on ${requestId} (version ${version})`,
              );
              return 0;
            }),
          ),
      )
      .command('explain <id>', 'Tell in words what happened to a machine', explainOptions, (options) =>
        done(runExplain(door, options)),
      )
      .strict()
      .demandCommand(1, 'Say what to do with machines: list, show, explain, return or set-status');
