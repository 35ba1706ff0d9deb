import { afterAll, beforeAll, expect, it } from 'vitest';
import { fc, runs } from '../random.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createOwnGroup } from './own-group.ts';
import { createPlugin, hostOf, type Json, type MachineEntry } from './plugin.ts';

const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
// The emulator launches the first type that has room: of three units a machine of two and one of one.
const vmTypes = { 'm5.xlarge': 2, 'm5.large': 1 };

const kinds: Readonly<Record<string, Json>> = {
  runInstances: { priceType: 'ondemand', vmType: 'm5.large' },
  runInstancesSpot: { providerApi: 'RunInstances', priceType: 'spot', vmType: 'm5.large' },
  instant: { providerApi: 'EC2Fleet', priceType: 'spot', vmTypes },
  request: { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot', percentOnDemand: 50, vmTypes },
  maintain: { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot', percentOnDemand: 30, vmTypes },
  spotFleet: { priceType: 'spot', fleetRole, vmTypes },
  spotFleetMaintain: { priceType: 'spot', fleetRole, fleetType: 'maintain', vmTypes },
  heterogeneous: { priceType: 'heterogeneous', fleetRole, vmTypes, vmTypesOnDemand: { 'm5.large': 1 } },
  requirements: {
    providerApi: 'EC2Fleet',
    fleetType: 'request',
    priceType: 'spot',
    abisInstanceRequirements: { VCpuCount: { Min: 2, Max: 4 }, MemoryMiB: { Min: 4096 } },
  },
  group: { providerApi: 'ASG', priceType: 'spot', percentOnDemand: 50, vmTypes },
  ownGroup: { providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand', vmType: 'm5.large' },
};

type Step =
  | { readonly do: 'request'; readonly kind: string; readonly count: number }
  | { readonly do: 'return'; readonly picks: readonly number[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('request' as const),
    kind: fc.constantFrom(...Object.keys(kinds)),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant('return' as const), picks: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }) }),
);

let backend: EmulatorBackend;
beforeAll(async () => {
  backend = await emulatorBackend();
});
afterAll(() => backend.close());

it('whatever is requested and returned in whatever batches, exactly the returned machines die and nothing is replaced', async () => {
  const walk = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 7 }), async (steps) => {
    await backend.clear();
    const ownGroup = await createOwnGroup(backend, 'ondemand', 0, { most: 100 });
    const templates = Object.entries(kinds).map(([templateId, fields]) => ({
      templateId,
      maxNumber: 100,
      attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
      ...backend.place,
      ...fields,
    }));
    const plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 0 }, templates);
    const held = new Map<string, MachineEntry>();

    const giveBack = async (machines: readonly MachineEntry[]): Promise<void> => {
      const { status } = await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
      expect(status).toBe('complete');
      for (const { machineId } of machines) held.delete(machineId);
    };

    for (const each of steps) {
      if (each.do === 'request') {
        const { machines } = await plugin.settled(await plugin.request(each.kind, each.count));
        for (const machine of machines) held.set(machine.machineId, machine);
      } else {
        const all = [...held.values()];
        const picked = new Set(each.picks.map((pick) => all[pick % Math.max(1, all.length)]));
        await giveBack([...picked].filter((machine) => machine !== undefined));
      }
      await backend.settle();
      expect([...(await backend.instanceIds('pending', 'running'))].sort()).toEqual([...held.keys()].sort());
    }

    await giveBack([...held.values()]);
    await backend.settle();
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    expect(await ownGroup.desiredCapacity()).toBe(0);
    await ownGroup.remove();
    expect(await backend.resources()).toEqual([]);
    await plugin.remove();
  });
  // Every kind at least once, whatever chance brings.
  const everyKind: readonly Step[] = [
    ...Object.keys(kinds).map((kind) => ({ do: 'request', kind, count: 3 }) as const),
    { do: 'return', picks: [0, 5, 10, 15, 20] },
    { do: 'return', picks: [1, 2, 3, 13, 14, 19] },
  ];
  await fc.assert(walk, { numRuns: runs(7), endOnFailure: true, examples: [[[...everyKind]]] });
}, 300_000);
