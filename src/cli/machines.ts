import type { Argv } from 'yargs';
import {
  type CommonOptions,
  type Door,
  originOptions,
  readPairs,
  show,
  table,
  warn,
  withRehearsal,
  withService,
} from './door.ts';
import { explainOptions, runExplain } from './explain.ts';

type Done = (code: Promise<number>) => Promise<void>;

const states = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;

export const machineCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List machines as last seen',
        (each) =>
          each
            .option('status', { choices: states, describe: 'EC2 state' })
            .option('request', { type: 'string', describe: 'Only machines of this request' })
            .option('limit', { type: 'number', default: 50 })
            .option('offset', { type: 'number', default: 0 })
            .example('hf-aws machines list --status running', 'what runs'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { status, request, limit, offset } = options;
              const { machines, warnings } = await service.listMachines({
                limit,
                offset,
                ...(status === undefined ? {} : { status }),
                ...(request === undefined ? {} : { requestId: request }),
                ...originOptions(options),
              });
              warn(door, warnings);
              show(door, options, machines, (views) =>
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
        'return <machines..>',
        'Give machines back to AWS by id or name; prints the id of the return request',
        (each) =>
          each
            .positional('machines', { type: 'string', array: true, demandOption: true })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Only print the AWS calls' })
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
              const answer = await service.returnMachines({ machines, ...originOptions(options) });
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
            .positional('status', { choices: states, demandOption: true })
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
                ...originOptions(options),
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
      .demandCommand(1, 'Say what to do with machines: list, explain, return or set-status');
