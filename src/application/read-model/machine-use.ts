import { hasEnded, type Observation } from '../../domain/machine.ts';
import type { RequestEvent } from '../../domain/request/events.ts';

/** What one machine was, and from when to when it was paid for. */
export interface MachineUse {
  readonly machineId: string;
  readonly templateId: string;
  /** Empty where EC2 never showed it. */
  readonly instanceType: string;
  readonly zone?: string;
  readonly priceType: 'ondemand' | 'spot';
  /** Milliseconds since the epoch: its launch, else when it was first seen. */
  readonly from: number;
  /** When it was first known to go; absent while it lives. EC2 bills nothing from shutting-down on. */
  readonly until?: number;
  /** AWS took the spot instance back. */
  readonly isInterrupted: boolean;
}

/** EC2's state reasons of spot instances that it took back. */
const interruption = /^Server\.SpotInstance(Termination|Shutdown)\b/;

type Uses = Map<string, MachineUse>;

const end = (uses: Uses, ids: readonly string[], at: number, reason = ''): void => {
  for (const id of ids) {
    const use = uses.get(id);
    if (use === undefined) continue;
    const isInterrupted = use.isInterrupted || interruption.test(reason);
    uses.set(id, { ...use, isInterrupted, until: Math.min(use.until ?? at, Math.max(at, use.from)) });
  }
};

interface Request {
  readonly templateId: string;
  readonly uses: Uses;
  /** Since when EC2 has not shown a machine: its end is recorded later than it was. */
  readonly missed: Map<string, number>;
}

const see = ({ uses, missed, templateId }: Request, at: number, seen: Observation): void => {
  const { machineId, launchTime, instanceType, zone, priceType, state, reason } = seen;
  const known = uses.get(machineId);
  uses.set(machineId, {
    isInterrupted: false,
    ...known,
    machineId,
    templateId,
    instanceType: instanceType || (known?.instanceType ?? ''),
    ...(zone === undefined ? {} : { zone }),
    priceType,
    from: launchTime === undefined ? (known?.from ?? at) : launchTime * 1000,
  });
  if (hasEnded(state)) end(uses, [machineId], missed.get(machineId) ?? at, reason);
  else missed.delete(machineId);
};

/** The machines of one create request, by its events. */
export const usesOf = (events: readonly RequestEvent[]): readonly MachineUse[] => {
  const uses: Uses = new Map();
  const missed = new Map<string, number>();
  let templateId = '';
  for (const event of events) {
    const { at } = event;
    switch (event.type) {
      case 'RequestCreated':
        templateId = event.template.templateId;
        break;
      case 'CapacityGranted':
      case 'MachinesObserved':
        for (const seen of event.machines) see({ uses, missed, templateId }, at, seen);
        break;
      case 'MachinesMissed':
        for (const id of event.machineIds) missed.set(id, Math.min(at, missed.get(id) ?? at));
        break;
      case 'MachineStatusReported':
        if (hasEnded(event.status)) end(uses, [event.machineId], at, event.metadata['reason']);
        break;
      case 'MachinesReturned':
      case 'MachinesGivenUp':
      case 'MachinesDisowned':
        end(uses, event.machineIds, at);
    }
  }
  return [...uses.values()];
};
