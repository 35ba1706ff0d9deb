import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hfAwsHere } from './admin.ts';
import { type Backend, describeBackends } from './backends.ts';
import { listOf } from './entries.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';

interface Kind {
  readonly id: string;
  readonly api: 'EC2Fleet' | 'SpotFleet' | 'AutoScalingGroup' | 'RunInstances';
  /** As the broker writes it: it says nothing of the type of its Spot Fleets. */
  readonly fleetType?: 'instant' | 'request' | 'maintain';
  readonly market: 'ondemand' | 'spot' | 'heterogeneous';
  readonly strategy: string;
  readonly types?: Readonly<Record<string, number>>;
  readonly percent?: number;
  /** Why moto cannot serve it, where it cannot. */
  readonly notOnMoto?: string;
}

const two = { 't3.medium': 1, 't3.large': 2 };
const noSpotGroups = 'moto launches on demand what a group asks of spot';
const three = { ...two, 't3.xlarge': 3 };

/** The kinds of template that Open Resource Broker generates for a new installation. */
const kinds: readonly Kind[] = [
  ...(['instant', 'request', 'maintain'] as const).flatMap((fleetType): Kind[] => {
    const base = { api: 'EC2Fleet', fleetType } as const;
    const mixed = {
      instant: { strategy: 'diversified', percent: 30 },
      request: { strategy: 'diversified', percent: 40, types: two },
      maintain: { strategy: 'capacity_optimized', percent: 50, types: three },
    };
    return [
      { ...base, id: `EC2Fleet-${fleetType}-OnDemand`, market: 'ondemand', strategy: 'lowest_price' },
      { ...base, id: `EC2Fleet-${fleetType}-Spot`, market: 'spot', strategy: 'price_capacity_optimized' },
      { ...base, id: `EC2Fleet-${fleetType}-Mixed`, market: 'heterogeneous', ...mixed[fleetType] },
    ];
  }),
  ...['Request', 'Maintain'].flatMap((name) =>
    ['lowest_price', 'diversified', 'capacity_optimized'].map((strategy): Kind => {
      const id = `SpotFleet-${name}-${strategy.replaceAll('_', '-')}`;
      return { id, api: 'SpotFleet', market: 'spot', strategy, types: two };
    }),
  ),
  { id: 'ASG-OnDemand', api: 'AutoScalingGroup', market: 'ondemand', strategy: 'lowest_price' },
  {
    id: 'ASG-Spot',
    api: 'AutoScalingGroup',
    market: 'spot',
    strategy: 'price_capacity_optimized',
    notOnMoto: noSpotGroups,
  },
  {
    id: 'ASG-Mixed',
    api: 'AutoScalingGroup',
    market: 'heterogeneous',
    strategy: 'lowest_price',
    types: two,
    notOnMoto: noSpotGroups,
  },
  { id: 'RunInstances-OnDemand', api: 'RunInstances', market: 'ondemand', strategy: 'lowest_price' },
  { id: 'RunInstances-Spot', api: 'RunInstances', market: 'spot', strategy: 'price_capacity_optimized' },
];

const templateOf = ({ id, api, fleetType, market, strategy, types, percent }: Kind): Json => ({
  template_id: id,
  name: 'generated',
  description: 'generated',
  ...(types === undefined ? { instance_type: 't3.medium' } : {}),
  max_instances: 10,
  subnet_ids: [],
  security_group_ids: [],
  price_type: market,
  allocation_strategy: strategy,
  ...(market === 'ondemand' ? {} : { max_price: 0.05 }),
  instance_types: types ?? {},
  network_zones: [],
  tags: { Environment: 'dev' },
  metadata: {
    ...(fleetType === undefined ? {} : { fleet_type: fleetType }),
    ...(percent === undefined ? {} : { percent_on_demand: percent }),
  },
  provider_type: 'aws',
  provider_api: api,
  created_at: '2026-02-08T22:38:18.537494',
  updated_at: '2026-02-08T22:38:18.537499',
  is_active: true,
  vm_types: {},
});

/** Units. moto's RunInstances launches MinCount machines, whatever MaxCount says, and MinCount is 1. */
const wantedOf = ({ api }: Kind): number => (api === 'RunInstances' ? 1 : 4);

const onDemandOf = (kind: Kind): number =>
  kind.market === 'ondemand' ? wantedOf(kind) : Math.ceil((wantedOf(kind) * (kind.percent ?? 0)) / 100);

const target = (name: string): string => `TargetCapacitySpecification.${name}`;
const spotFleet = (name: string): string => `SpotFleetRequestConfig.${name}`;
const distribution = (name: string): string => `MixedInstancesPolicy.InstancesDistribution.${name}`;

/** The call that a kind comes to, with what it must say of fleet type, market and choice. */
const callOf = (kind: Kind): readonly [action: string, parameters: Json] => {
  const [wanted, onDemand] = [wantedOf(kind), onDemandOf(kind)];
  const isSpot = kind.market !== 'ondemand';
  const strategy = kind.strategy.replaceAll('_', '-');
  const inCamels = kind.strategy.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  if (kind.api === 'EC2Fleet')
    return [
      'CreateFleet',
      {
        Type: kind.fleetType,
        [target('TotalTargetCapacity')]: String(wanted),
        [target('OnDemandTargetCapacity')]: String(onDemand),
        [target('SpotTargetCapacity')]: String(wanted - onDemand),
        ...(isSpot ? { 'SpotOptions.AllocationStrategy': strategy } : {}),
      },
    ];
  if (kind.api === 'SpotFleet')
    return [
      'RequestSpotFleet',
      {
        [spotFleet('Type')]: 'request',
        [spotFleet('TargetCapacity')]: String(wanted),
        [spotFleet('AllocationStrategy')]: inCamels,
        [spotFleet('IamFleetRole')]: expect.stringMatching(/AWSServiceRoleForEC2SpotFleet$/),
      },
    ];
  if (kind.api === 'AutoScalingGroup')
    return [
      'CreateAutoScalingGroup',
      {
        [distribution('OnDemandPercentageAboveBaseCapacity')]: isSpot ? '0' : '100',
        ...(isSpot ? { [distribution('SpotAllocationStrategy')]: strategy } : {}),
      },
    ];
  return ['RunInstances', isSpot ? { 'InstanceMarketOptions.MarketType': 'spot' } : { MaxCount: String(wanted) }];
};

describeBackends(
  (name) => `the templates that Open Resource Broker generates, against ${name}`,
  ({ start, name: backendName }) => {
    let backend: Backend;
    let plugin: Plugin;

    beforeAll(async () => {
      backend = await start();
      const { imageId, subnetId, securityGroupIds } = backend.place;
      const templateDefaults = {
        image_id: imageId,
        subnet_ids: [subnetId].flat(),
        security_group_ids: securityGroupIds,
      };
      const config = { AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 0, templateDefaults };
      plugin = await createPlugin(config, kinds.map(templateOf));
    });
    afterAll(async () => {
      await plugin.remove();
      await backend.close();
    });

    const served = kinds.filter(({ notOnMoto }) => backendName !== 'moto' || notOnMoto === undefined);

    it('are twenty kinds, all offered', async () => {
      const { body } = await plugin.call('getAvailableTemplates', {});
      expect(listOf(body['templates']).map((each) => each['templateId'])).toEqual(kinds.map(({ id }) => id));
      expect(kinds).toHaveLength(20);
    });

    it.each(served)('$id launches by its API, in its market and with its tags', async (kind) => {
      const wanted = wantedOf(kind);
      const args = ['requests', 'create', kind.id, String(wanted), '--wait', '--interval', '0.1', '--json'];
      const { exitCode, stdout, stderr } = await hfAwsHere(plugin, args);
      expect([exitCode, stderr]).toEqual([0, '']);
      const ids = listOf(JSON.parse(stdout).machines).map(({ machineId }) => String(machineId));
      const { Reservations = [] } = await backend.client.send(new DescribeInstancesCommand({ InstanceIds: ids }));
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      for (const { Tags } of instances) expect(Tags).toContainEqual({ Key: 'Environment', Value: 'dev' });
      const unitsOf = (isSpot: boolean): number =>
        instances
          .filter(({ InstanceLifecycle }) => (InstanceLifecycle === 'spot') === isSpot)
          .reduce((sum, { InstanceType = '' }) => sum + (kind.types?.[InstanceType] ?? 1), 0);
      // The last machine of a market may weigh more than what was missing.
      const spare = Math.max(1, ...Object.values(kind.types ?? {})) - 1;
      for (const [isSpot, asked] of [
        [true, wanted - onDemandOf(kind)],
        [false, onDemandOf(kind)],
      ] as const) {
        expect(unitsOf(isSpot)).toBeGreaterThanOrEqual(asked);
        expect(unitsOf(isSpot)).toBeLessThanOrEqual(asked === 0 ? 0 : asked + spare);
      }
      const [action, parameters] = callOf(kind);
      if (backend.sent !== undefined) expect(backend.sent(action).at(-1)).toMatchObject(parameters);
    });
  },
);
