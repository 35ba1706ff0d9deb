import { performCall } from '../../src/emulator/api-call.ts';
import { createCore } from '../../src/emulator/core.ts';
import { allViews, instanceTags } from '../../src/emulator/ec2/instance-view.ts';
import { advance } from '../../src/emulator/fleets/settle.ts';
import type { InstanceChange } from '../../src/emulator/instance-change.ts';
import type { Settings } from '../../src/emulator/settings.ts';
import type { Exchange, Received } from '../../src/providers/aws/wire/exchange.ts';
import { current } from './process.ts';

/** One instance as it really is, whether or not EC2 shows it. */
export interface Standing {
  readonly id: string;
  readonly state: string;
  readonly type: string;
  /** The request it was launched for, by its tag; empty where it has none. */
  readonly requestId: string;
}

const errors = { throttled: 'RequestLimitExceeded', denied: 'UnauthorizedOperation' } as const;
const versions = { ec2: '2016-11-15', autoScaling: '2011-01-01' } as const;

const reset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

/** The emulator's core in this process: no server, no connections, and a clock that only tests move. `tell` hears of every call. */
export const createRegion = (now: () => number, settings: Partial<Settings>, tell: (line: string) => void) => {
  const { calls, control } = createCore({ now, settings }, () => undefined);
  const { world } = calls;

  const send = async (headers: Readonly<Record<string, string>>, body: string): Promise<Received> => {
    const { authorization, 'x-amz-date': date, 'x-amz-target': target, 'x-amz-security-token': token } = headers;
    const reply = await performCall(calls, body, { authorization, date, target, token });
    if (reply.kind !== 'answer') throw reset();
    const { status, contentType, body: text } = reply.answer;
    return {
      status,
      contentType,
      text,
      requestId: reply.requestId,
      errorType: undefined,
      date: new Date(now()).toUTCString(),
      at: now(),
      isFromProxy: false,
    };
  };

  /** Carries the messages of whatever process sends them. */
  const exchange: Exchange = async (_url, { headers, body }) => {
    const process = current();
    const fate = await process.meet();
    if (fate === 'unreached') throw reset();
    if (fate === 'throttled' || fate === 'denied') calls.faults.add({ effect: { kind: 'error', code: errors[fate] } });
    const received = await send(headers, body);
    tell(`${/Action=(\w+)/.exec(body)?.[1]} ${/<Code>(\w+)/.exec(received.text)?.[1] ?? ''} ${fate ?? ''}`.trimEnd());
    if (fate === 'dies after') await process.die();
    if (fate === 'lost') throw reset();
    return received;
  };

  /** As an administrator does behind the program's back. */
  const call = async (
    service: keyof typeof versions,
    Action: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const body = new URLSearchParams({ Action, Version: versions[service], ...parameters }).toString();
    const { status, text } = await send({ authorization: 'Credential=AKIAADMIN/' }, body);
    if (status !== 200) throw new Error(text);
  };

  const instances = (): readonly Standing[] =>
    allViews(world).map((view) => ({
      id: view.instance.id,
      state: view.state,
      type: view.reservation.spec.instanceType,
      requestId: instanceTags(world, view)['hf-aws:request-id'] ?? '',
    }));

  return {
    exchange,
    call,
    instances,
    configure: control.configure,
    change: (id: string, change: InstanceChange): void => {
      control.setInstance(id, change);
    },
    /** What comes due happens also where nobody calls. */
    settle: (): void => advance(world),
    /** Fleets that still give out machines, by id. */
    fleets: (): readonly string[] =>
      [...world.fleets.values()]
        .filter(({ api, type, ended }) => api !== 'group' && type !== 'instant' && ended === undefined)
        .map(({ id }) => id),
    groups: (): readonly string[] =>
      [...world.fleets.values()].filter(({ api, ended }) => api === 'group' && ended === undefined).map(({ id }) => id),
    desired: (group: string): number =>
      Number(world.fleets.get(group)?.order.find(([name]) => name === 'DesiredCapacity')?.[1] ?? 0),
  };
};

export type Region = ReturnType<typeof createRegion>;
