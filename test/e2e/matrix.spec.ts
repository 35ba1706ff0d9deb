import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { thirdOf } from '../random.ts';
import { type Backend, describeBackends } from './backends.ts';
import { createOwnGroup, type Market } from './own-group.ts';
import { createPlugin, hostOf, type Json, type Plugin, tablesAt } from './plugin.ts';

const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
const common = { maxNumber: 50, attributes, instanceTags: 'team=quant' };
const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
const single = { vmTypes: { 'm5.large': 1 } };
// The emulator launches the first type that has room: of three units a machine of two, then one more.
const weighted = { vmTypes: { 'm5.xlarge': 2, 'm5.large': 1 } };
const requirements = { abisInstanceRequirements: { VCpuCount: { Min: 2, Max: 4 }, MemoryMiB: { Min: 4096 } } };

interface Cell {
  readonly name: string;
  readonly template: Json;
  /** The administrator's group that must be there first. */
  readonly ownGroup?: Market;
  /** Why moto cannot serve it, where it cannot. */
  readonly notOnMoto?: string | undefined;
}

const noModifyFleet = 'moto has no ModifyFleet, so a maintain fleet cannot be shrunk';
const byRequirements = 'moto launches no instances by InstanceRequirements';
const noWeights = 'moto takes the first type alone and counts weights its own way';

const forms: readonly { readonly form: string; readonly types: Json; readonly notOnMoto?: string }[] = [
  { form: '', types: single },
  { form: ' weighted', types: weighted, notOnMoto: noWeights },
  { form: ' by requirements', types: requirements, notOnMoto: byRequirements },
];
const markets = [
  ['ondemand', { priceType: 'ondemand' }],
  ['spot', { priceType: 'spot' }],
  ['mixed', { priceType: 'spot', percentOnDemand: 50 }],
] as const;

/** One kind of capacity by a single type, by weighted types and by requirements. */
const inAllForms = (name: string, template: Json, notOnMoto?: string): readonly Cell[] =>
  forms.map(({ form, types, ...rest }) => ({
    name: `${name}${form}`,
    template: { ...template, ...types },
    notOnMoto: notOnMoto ?? rest.notOnMoto,
  }));

const cells: readonly Cell[] = [
  { name: 'RunInstances ondemand', template: { vmType: 'm5.large', allOrNothing: true } },
  {
    name: 'RunInstances spot',
    template: { vmType: 'm5.large', priceType: 'spot', providerApi: 'RunInstances', allOrNothing: true },
  },
  ...(['instant', 'request', 'maintain'] as const).flatMap((fleetType) =>
    markets.flatMap(([market, fields]) =>
      inAllForms(
        `EC2Fleet ${fleetType} ${market}`,
        { providerApi: 'EC2Fleet', fleetType, ...fields },
        fleetType === 'maintain' ? noModifyFleet : undefined,
      ),
    ),
  ),
  ...(['request', 'maintain'] as const).flatMap((fleetType) =>
    markets
      .slice(1)
      .flatMap(([market, fields]) =>
        inAllForms(`SpotFleet ${fleetType} ${market}`, { fleetRole, fleetType, ...fields }),
      ),
  ),
  ...inAllForms('heterogeneous', { priceType: 'heterogeneous', fleetRole, vmTypesOnDemand: { 'm5.large': 1 } }),
  ...markets.flatMap(([market, fields]) =>
    inAllForms(
      `ASG per request ${market}`,
      { providerApi: 'ASG', ...fields },
      market === 'mixed' ? 'moto launches 2 machines of a mixed group that wants 3' : undefined,
    ),
  ),
  // What a group of the administrator's launches is the group's to say.
  ...markets.map(([market]) => ({
    name: `ASG existing ${market}`,
    template: { providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand', ...single },
    ownGroup: market,
    notOnMoto: 'moto has no LaunchInstances and answers it with HTTP 500, which leaves the outcome open',
  })),
];

// What a request is to AWS goes by its kind and its form, not by where the state is.
const played = tablesAt === undefined ? cells : thirdOf(cells, 'cells');

describeBackends(
  (name) => `every kind of capacity against ${name}`,
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

    it.each(played.filter(fits))('$name: request, partial return, full return', async ({ template, ownGroup }) => {
      const group = ownGroup === undefined ? undefined : await createOwnGroup(backend, ownGroup);
      await plugin.offer([{ templateId: 'cell', ...common, ...backend.place, ...template }]);
      const ready = await plugin.settled(await plugin.request('cell', 3));
      expect(ready, ready.message).toMatchObject({ status: 'complete' });
      const { machines } = ready;
      const isWeighted = 'm5.xlarge' in Object(template['vmTypes'] ?? {});
      expect(machines.length).toBeGreaterThanOrEqual(isWeighted ? 2 : 3);
      expect(machines.length).toBeLessThanOrEqual(3);
      expect(new Set(machines.map(({ name }) => name)).size).toBe(machines.length);
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
