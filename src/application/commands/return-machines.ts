import { excerpt, PluginError } from '../../domain/errors.ts';
import { isReturnId, returnIdOf } from '../../domain/ids.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, hosts, version, words } from '../bus/shapes.ts';
import { type GiveBackPorts, giveBack, namesakesText } from '../life-cycle/give-back.ts';
import type { FoundHost } from '../life-cycle/host-lookup.ts';
import type { RequestStreams } from '../ports/streams.ts';

export const returnMachines = defineOperation({
  name: 'ReturnMachines',
  bus: 'command',
  role: 'operator',
  title: 'Give machines back to AWS',
  isHot: true,
  input: {
    machines: hosts,
    /**
     * Throws `machine.not-found` for a host that neither EC2 nor our records know, and `input.invalid` for a name of several: a
     * person has mistyped it. To Host Factory such a host is gone.
     */
    onlyKnown: { ...flag, description: 'Refuse unknown hosts' },
  },
  required: ['machines'],
  answer: closed({ requestId: words, version, message: words }),
});

export interface ReturnMachinesPorts extends GiveBackPorts {
  readonly streams: RequestStreams;
  readonly newId: () => string;
}

/**
 * Gives machines back to AWS: exactly the named ones, and only those that carry our ownership tag. The return is recorded
 * before EC2 is asked; what EC2 refuses or does not answer is asked again whenever Host Factory asks for the status.
 */
export const returnMachinesHandler =
  (ports: ReturnMachinesPorts): HandlerOf<typeof returnMachines> =>
  async ({ machines, onlyKnown = false, commandId }, origin) => {
    const { streams } = ports;
    const requestId = returnIdOf(origin.commandId ?? ports.newId());
    if (!isReturnId(requestId)) throw new PluginError('input.invalid', `the command id "${commandId}" is not a UUID`);
    const known = commandId === undefined ? 0 : (await streams.load(requestId)).version;
    if (known > 0) return { requestId, version: known, message: 'This return was requested before.' };
    const check = onlyKnown ? refuseUnknown : undefined;
    return { requestId, ...(await giveBack(ports, { streams, origin }, { id: requestId, hosts: machines, check })) };
  };

const refuseUnknown = (found: readonly FoundHost[]): void => {
  for (const { asked, namesakes } of found)
    if (namesakes.length > 0) throw new PluginError('input.invalid', namesakesText(asked.name, namesakes));
  const unknown = found
    .filter(({ seen, record, uncertain }) => seen === undefined && record === undefined && !uncertain)
    .map(({ asked }) => asked.machineId || asked.name);
  if (unknown.length > 0)
    throw new PluginError(
      'machine.not-found',
      `no machine has the id or name ${excerpt(unknown.join(', '))}; nothing was returned`,
    );
};
