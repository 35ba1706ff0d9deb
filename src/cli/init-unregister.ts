import type { Unregistration } from '../application/ports/setup.ts';
import type { CliContext } from './context.ts';
import { type InitOptions, instanceOf, textOr } from './init-options.ts';
import { reporting, show, UsageError } from './run.ts';
import { fold } from './table.ts';

/** What stays after it, for a person. */
const leftText = ({ requestors, requestorsFile, instance }: Unregistration, running: number | undefined): string =>
  [
    ...(requestors.length === 0
      ? []
      : [`Still named: take ${instance} out of "providers" of ${requestors.join(', ')} in ${requestorsFile}.`]),
    running === undefined
      ? 'Whether machines still run could not be told: hf-aws reconcile looks at AWS.'
      : running === 0
        ? 'No machine of it is on record as running.'
        : `${running} machines of it still run and cost money: hf-aws --provider is gone with the registration, so return them by hand: hf-aws machines list, with HF_PROVIDER_NAME, HF_PROVIDER_CONFDIR and HF_PROVIDER_WORKDIR set.`,
    'Configuration, templates, records and machines are left as they are.',
  ]
    .map((line) => fold(line, 2))
    .join('\n');

/** What is taken out, for a person. */
const takenText = ({ instance, plugin }: Unregistration): string => {
  if (instance === undefined) return `plug-in ${plugin}, which no provider runs,`;
  return plugin === undefined ? instance : `${instance}, and plug-in ${plugin}`;
};

/** Machines on record as running; undefined where the records cannot be read. */
const runningMachines = async (context: CliContext, instance: string): Promise<number | undefined> => {
  try {
    const { service } = await context.compose({ provider: instance });
    const { total } = await service.listMachines({ status: 'running', limit: 1 });
    return total;
  } catch {
    return undefined;
  }
};

/** Takes the provider out of Host Factory's files, when that was agreed to. */
export const runUnregister = (context: CliContext, options: InitOptions): Promise<number> =>
  reporting(context, options, async () => {
    const instance = instanceOf(context, options);
    const order = { instance, isNamed: textOr(options.instance) !== undefined };
    const plan = await context.unregister({ ...order, apply: false });
    const running = await runningMachines(context, instance);
    if (!options.yes) {
      const terminal = options.json === true ? undefined : await context.terminal();
      if (terminal === undefined)
        throw new UsageError('there is no terminal to ask on: --yes unregisters without asking');
      context.print(fold(`Takes ${takenText(plan)} out of ${plan.files.join(' and ')}.`, 2));
      context.print(leftText(plan, running));
      const answer = await terminal.ask('Unregister? [y/N] ').finally(() => terminal.close());
      if (!/^y(es)?$/i.test(answer.trim())) {
        context.print('Nothing was changed.');
        return 1;
      }
    }
    const done = await context.unregister({ ...order, apply: true });
    await show(context, options, { ...done, running: running ?? null }, () =>
      [
        ...done.backups.map((file) => `Kept a copy: ${file}`),
        `Unregistered: ${done.instance ?? done.plugin}`,
        leftText(done, running),
      ].join('\n'),
    );
    return 0;
  });
