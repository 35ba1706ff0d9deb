import { recallMachines } from './life-cycle/host-lookup.ts';
import type { LaunchFailures, OfferingMemory } from './ports/memory.ts';
import { type CapacityLedger, loadingAll, type RequestStreams, type StreamEvent } from './ports/streams.ts';
import type { Logger } from './ports/telemetry.ts';

/** An AWS call that would go out. */
export interface AwsCall {
  readonly service: 'ec2' | 'autoscaling' | 'ssm';
  readonly action: string;
  /** In AWS's own words; `<...>` where only AWS's answer could say. */
  readonly input: object;
}

/** A machine as a rehearsal assumes that EC2 shows it: running, and ours. */
export interface AssumedMachine {
  readonly machineId: string;
  readonly requestId: string;
  readonly name: string;
}

/** What the AWS side needs to answer in AWS's stead. */
export interface Rehearsal {
  readonly record: (call: AwsCall) => void;
  /** Machines on record with one of these ids, names or requests. */
  readonly recall: (values: readonly string[]) => Promise<readonly AssumedMachine[]>;
}

/** Streams whose appends stay in this process. */
export const rehearsedStreams = (streams: RequestStreams): RequestStreams => {
  const added = new Map<string, readonly StreamEvent[]>();
  const load: RequestStreams['load'] = async (id) => {
    const { version, events } = await streams.load(id);
    const more = added.get(id) ?? [];
    return { version: version + more.length, events: [...events, ...more] };
  };
  return {
    ...streams,
    load,
    loadAll: loadingAll(load),
    append: async (id, version, events) => {
      added.set(id, [...(added.get(id) ?? []), ...events]);
      return version + events.length;
    },
    archive: async () => undefined,
    packArchive: async () => undefined,
  };
};

/** A ledger that is read and never written. */
export const rehearsedLive = (live: CapacityLedger): CapacityLedger => ({
  ...live,
  reserve: async ({ templateId, units }, limit) => {
    const held = (await live.list(templateId)).reduce((sum, claim) => sum + claim.units, 0);
    return { granted: limit === undefined || held + units <= limit, live: held };
  },
  update: async () => undefined,
});

/** What EC2 refused lately, read and never changed: nothing that a rehearsal assumes has been seen. */
export const rehearsedOfferings = (offerings: OfferingMemory): OfferingMemory => ({
  ...offerings,
  remember: async () => undefined,
  forget: async () => 0,
});

/** What became of earlier machines, read and never changed. */
export const rehearsedFailures = (failures: LaunchFailures): LaunchFailures => ({
  ...failures,
  note: async () => undefined,
  clear: async () => undefined,
});

export const recallFrom =
  (ports: { readonly streams: RequestStreams; readonly live: CapacityLedger; readonly log: Logger }) =>
  async (values: readonly string[]): Promise<readonly AssumedMachine[]> => {
    const { recalled } = await recallMachines(ports, () => true);
    return recalled
      .filter(({ requestId, machine: { machineId, name } }) =>
        [requestId, machineId, name].some((each) => values.includes(each)),
      )
      .map(({ requestId, machine: { machineId, name } }) => ({ requestId, machineId, name }));
  };
