import {
  DescribeSpotInstanceRequestsCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const spot = {
  InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time', MaxPrice: '0.1' } },
  TagSpecifications: [{ ResourceType: 'spot-instances-request', Tags: [{ Key: 'owner', Value: 'hf' }] }],
} as const;

const startSpotRegion = async () => {
  const region = await startRegion();
  const [instance] = await region.run({
    InstanceMarketOptions: spot.InstanceMarketOptions,
    TagSpecifications: spot.TagSpecifications.map((one) => ({ ...one, Tags: [...one.Tags] })),
  });
  const requests = async (name?: string, value = '') => {
    const Filters = name === undefined ? [] : [{ Name: name, Values: [value] }];
    const answer = await region.client.send(new DescribeSpotInstanceRequestsCommand({ Filters }));
    return answer.SpotInstanceRequests ?? [];
  };
  return { ...region, id: instance?.InstanceId ?? '', instance, requests };
};

describe('a Spot instance', () => {
  it('has a fulfilled one-time request', async () => {
    const { instance, requests, id } = await startSpotRegion();
    expect(instance).toMatchObject({
      InstanceLifecycle: 'spot',
      SpotInstanceRequestId: expect.stringMatching(/^sir-/),
    });
    expect(await requests('instance-id', id)).toMatchObject([
      {
        SpotInstanceRequestId: instance?.SpotInstanceRequestId,
        State: 'active',
        Status: { Code: 'fulfilled' },
        Type: 'one-time',
        Tags: [{ Key: 'owner', Value: 'hf' }],
      },
    ]);
  });

  it('is marked before it is interrupted, which DescribeInstances does not show', async () => {
    const { requests, id, emulator, pass, describe } = await startSpotRegion();
    pass(5000);
    emulator.setInstance(id, { spotStatus: 'marked-for-termination' });
    expect(await requests('status-code', 'marked-for-*')).toMatchObject([
      { InstanceId: id, Status: { UpdateTime: new Date(Date.UTC(2026, 0, 1, 0, 0, 5)) } },
    ]);
    expect(await describe()).toMatchObject([{ State: { Name: 'running' }, StateTransitionReason: '' }]);
  });

  it('is terminated by an interruption, for AWS’s reason', async () => {
    const { requests, id, emulator, pass, describe } = await startSpotRegion();
    emulator.setInstance(id, { spotStatus: 'instance-terminated-no-capacity' });
    expect(await describe()).toMatchObject([{ State: { Name: 'shutting-down' } }]);
    pass(1000);
    expect(await describe()).toMatchObject([
      { State: { Name: 'terminated' }, StateReason: { Code: 'Server.SpotInstanceTermination' } },
    ]);
    expect(await requests('state', 'closed')).toMatchObject([{ Status: { Code: 'instance-terminated-no-capacity' } }]);
  });

  it('closes its request when the user terminates it, marked or not', async () => {
    const { requests, id, emulator, client } = await startSpotRegion();
    emulator.setInstance(id, { spotStatus: 'marked-for-termination' });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await requests()).toMatchObject([{ State: 'closed', Status: { Code: 'instance-terminated-by-user' } }]);
  });

  it('cannot be stopped', async () => {
    const { client, id } = await startSpotRegion();
    await expectRefusal(client.send(new StopInstancesCommand({ InstanceIds: [id] })), 'UnsupportedOperation', 400);
  });
});

it('an on-demand instance has no Spot status to set', async () => {
  const { run, emulator } = await startRegion();
  const [id = ''] = idsOf(await run());
  expect(() => emulator.setInstance(id, { spotStatus: 'marked-for-termination' })).toThrow(/not a Spot instance/);
});
