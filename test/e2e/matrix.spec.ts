import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, backends } from './backends.ts';
import { createOwnGroup, type Market } from './own-group.ts';
import { createPlugin, hostOf, type Json, type Plugin } from './plugin.ts';

const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
const common = { maxNumber: 50, attributes, instanceTags: 'team=quant' };
const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
const weighted = { vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } };
const single = { vmTypes: { 'm5.large': 1 } };
const requirements = { abisInstanceRequirements: { VCpuCount: { Min: 2, Max: 4 }, MemoryMiB: { Min: 4096 } } };

interface Cell {
  readonly name: string;
  readonly template: Json;
  /** The administrator's group that must be there first. */
  readonly ownGroup?: Market;
  /** Why moto cannot serve it, where it cannot. */
  readonly notOnMoto?: string;
}

const noModifyFleet = 'moto has no ModifyFleet, so a maintain fleet cannot be shrunk';
const byRequirements = 'moto launches no instances by InstanceRequirements';
const noWeights = 'moto takes the first type alone and counts weights its own way';

const cells: readonly Cell[] = [
  { name: 'RunInstances ondemand', template: { vmType: 'm5.large', allOrNothing: true } },
  {
    name: 'RunInstances spot',
    template: { vmType: 'm5.large', priceType: 'spot', providerApi: 'RunInstances', allOrNothing: true },
  },
  ...(['instant', 'request', 'maintain'] as const).flatMap((fleetType) =>
    (
      [
        ['ondemand', { priceType: 'ondemand' }],
        ['spot', { priceType: 'spot' }],
        ['mixed', { priceType: 'spot', percentOnDemand: 50 }],
      ] as const
    ).map(([market, fields]) => ({
      name: `EC2Fleet ${fleetType} ${market}`,
      template: { providerApi: 'EC2Fleet', fleetType, ...fields, ...single },
      ...(fleetType === 'maintain' ? { notOnMoto: noModifyFleet } : {}),
    })),
  ),
  {
    name: 'EC2Fleet instant weighted',
    template: { providerApi: 'EC2Fleet', priceType: 'spot', ...weighted },
    notOnMoto: noWeights,
  },
  {
    name: 'EC2Fleet maintain weighted',
    template: { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot', ...weighted },
    notOnMoto: noModifyFleet,
  },
  {
    name: 'SpotFleet maintain weighted',
    template: { priceType: 'spot', fleetRole, fleetType: 'maintain', ...weighted },
    notOnMoto: noWeights,
  },
  {
    name: 'ASG per request weighted',
    template: { providerApi: 'ASG', priceType: 'spot', ...weighted },
    notOnMoto: noWeights,
  },
  {
    name: 'EC2Fleet request by requirements',
    template: { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'ondemand', ...requirements },
    notOnMoto: byRequirements,
  },
  {
    name: 'EC2Fleet instant by requirements',
    template: { providerApi: 'EC2Fleet', priceType: 'spot', ...requirements },
    notOnMoto: byRequirements,
  },
  ...(['request', 'maintain'] as const).flatMap((fleetType) =>
    (
      [
        ['spot', {}],
        ['mixed', { percentOnDemand: 50 }],
      ] as const
    ).map(([market, fields]) => ({
      name: `SpotFleet ${fleetType} ${market}`,
      template: { priceType: 'spot', fleetRole, fleetType, ...fields, ...single },
    })),
  ),
  {
    name: 'heterogeneous',
    template: { priceType: 'heterogeneous', fleetRole, vmTypesOnDemand: { 'm5.large': 1 }, ...single },
  },
  ...(
    [
      ['ondemand', { priceType: 'ondemand' }],
      ['spot', { priceType: 'spot' }],
      ['mixed', { priceType: 'spot', percentOnDemand: 50 }],
    ] as const
  ).map(([market, fields]) => ({
    name: `ASG per request ${market}`,
    template: { providerApi: 'ASG', ...fields, ...single },
    ...(market === 'mixed' ? { notOnMoto: 'moto launches 2 machines of a mixed group that wants 3' } : {}),
  })),
  ...(['ondemand', 'spot', 'mixed'] as const).map((market) => ({
    name: `ASG existing ${market}`,
    template: { providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand', ...single },
    ownGroup: market,
    notOnMoto: 'moto has no LaunchInstances and answers it with HTTP 500, which leaves the outcome open',
  })),
  {
    name: 'ASG per request by requirements',
    template: { providerApi: 'ASG', priceType: 'spot', ...requirements },
    notOnMoto: byRequirements,
  },
  {
    name: 'SpotFleet request by requirements',
    template: { priceType: 'spot', fleetRole, ...requirements },
    notOnMoto: byRequirements,
  },
];

describe.each(backends.filter(({ available }) => available))(
  'every kind of capacity against $name',
  ({ start, name: backendName }) => {
    let backend: Backend;
    let plugin: Plugin;

    beforeAll(async () => {
      backend = await start();
    });
    afterAll(() => backend.close());
    beforeEach(async () => {
      plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 0 }, []);
    });
    afterEach(async () => {
      await plugin.remove();
      const left = await backend.instanceIds('pending', 'running', 'stopping', 'stopped');
      if (left.length > 0) await backend.terminate(...left);
    });

    const fits = ({ notOnMoto }: Cell): boolean => backendName !== 'moto' || notOnMoto === undefined;

    it.each(cells.filter(fits))('$name: request, partial return, full return', async ({ template, ownGroup }) => {
      const group = ownGroup === undefined ? undefined : await createOwnGroup(backend, ownGroup);
      await plugin.offer([{ templateId: 'cell', ...common, ...backend.place, ...template }]);
      const ready = await plugin.settled(await plugin.request('cell', 3));
      expect(ready, ready.message).toMatchObject({ status: 'complete' });
      const { machines } = ready;
      const units = machines.length;
      expect(units).toBeGreaterThanOrEqual('vmTypes' in template && 'm5.xlarge' in Object(template['vmTypes']) ? 2 : 3);
      expect(new Set(machines.map(({ name }) => name)).size).toBe(units);
      for (const { result, name } of machines) {
        expect(result).toBe('succeed');
        expect(name).toMatch(/^ip-.*\.internal$/);
      }

      const [first, ...others] = machines;
      const gone = await plugin.settled(await plugin.giveBack(first === undefined ? [] : [hostOf(first)]));
      expect(gone).toMatchObject({
        status: 'complete',
        machines: [{ machineId: first?.machineId, status: 'terminated' }],
      });
      await backend.settle();
      const kept = others.map(({ machineId }) => machineId).sort();
      expect([...(await backend.instanceIds('pending', 'running'))].sort()).toEqual(kept);

      expect(await plugin.settled(await plugin.giveBack(others.map(hostOf)))).toMatchObject({ status: 'complete' });
      await backend.settle();
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
      await group?.remove();
      expect(await backend.resources()).toEqual([]);
    });
  },
);
