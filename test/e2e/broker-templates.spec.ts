import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';

type Kind = readonly [api: string, fleetType: string | undefined, what: string];

/** The kinds of template that Open Resource Broker writes for a new installation. */
const kinds: readonly Kind[] = [
  ...['instant', 'request', 'maintain'].flatMap((fleet) =>
    ['ondemand', 'spot', 'heterogeneous'].map((market): Kind => ['EC2Fleet', fleet, market]),
  ),
  ...['request', 'maintain'].flatMap((fleet) =>
    ['lowest_price', 'diversified', 'capacity_optimized'].map((strategy): Kind => ['SpotFleet', fleet, strategy]),
  ),
  ...['ondemand', 'spot', 'heterogeneous'].map((market): Kind => ['AutoScalingGroup', undefined, market]),
  ...['ondemand', 'spot'].map((market): Kind => ['RunInstances', undefined, market]),
];
const idOf = (kind: Kind): string => kind.join('-').replaceAll('_', '-');

const templateOf = ([provider_api, fleet_type, what]: Kind): Json => {
  const isSpotFleet = provider_api === 'SpotFleet';
  const share = what === 'heterogeneous' && fleet_type !== undefined ? { percent_on_demand: 50 } : {};
  return {
    template_id: idOf([provider_api, fleet_type, what]),
    name: 'generated',
    max_instances: 10,
    subnet_ids: [],
    security_group_ids: [],
    price_type: isSpotFleet ? 'spot' : what,
    allocation_strategy: isSpotFleet ? what : 'price_capacity_optimized',
    instance_type: 't3.medium',
    instance_types: {},
    tags: { Environment: 'dev' },
    metadata: fleet_type === undefined ? {} : { fleet_type, ...share },
    provider_type: 'aws',
    provider_api,
    is_active: true,
  };
};

describe('the templates that Open Resource Broker generates', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
    backend.emulator.configure({ pendingMs: 100, fulfilMs: 100 });
    const { imageId, subnetId } = backend.place;
    const templateDefaults = { image_id: imageId, subnet_ids: [subnetId].flat() };
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, templateDefaults }, kinds.map(templateOf));
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  it('are all offered', async () => {
    const { body } = await plugin.call('getAvailableTemplates', {});
    expect(body['templates']).toHaveLength(20);
  });

  it('launch by the API, in the market and with the tags that they name', async () => {
    const launch = async (kind: Kind) => {
      const { status, machines } = await plugin.settled(await plugin.request(idOf(kind), 2));
      return { kind, status, ids: machines.map(({ machineId }) => machineId) };
    };
    const launched = await Promise.all(kinds.map(launch));
    const instances = new Map(backend.emulator.instances().map((instance) => [instance.id, instance]));
    for (const { kind, status, ids } of launched) {
      const [, fleetType, what] = kind;
      const isMixed = what === 'heterogeneous' && fleetType !== undefined;
      const spot = ids.filter((id) => instances.get(id)?.lifecycle === 'spot').length;
      expect({ kind, status, hosts: ids.length, spot }).toEqual({
        kind,
        status: 'complete',
        hosts: 2,
        spot: what === 'ondemand' ? 0 : isMixed ? 1 : 2,
      });
      expect(ids.map((id) => instances.get(id)?.tags['Environment'])).toEqual(['dev', 'dev']);
    }
    expect(backend.emulator.countCalls()).toMatchObject({
      CreateFleet: 9,
      RequestSpotFleet: 6,
      CreateAutoScalingGroup: 3,
      RunInstances: 2,
    });
  });
});
