import { expect, it } from 'vitest';
import type { CapacityProvider } from '../../../../../src/application/ports/capacity.ts';
import type { PreparedLaunch } from '../../../../../src/domain/request/events.ts';
import { createAutoScalingGroupProvider } from '../../../../../src/providers/aws/launch/auto-scaling-group.ts';
import { createEc2FleetProvider } from '../../../../../src/providers/aws/launch/ec2-fleet.ts';
import { createRunInstancesProvider } from '../../../../../src/providers/aws/launch/run-instances.ts';
import { createSpotFleetProvider } from '../../../../../src/providers/aws/launch/spot-fleet.ts';
import type { Ec2Calls } from '../../../../../src/providers/aws/services/operations.ts';
import { clientOf } from '../../../../../src/providers/aws/wire/query-client.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { launchOptions } from '../launch-options.ts';

/** AWS as it would be with answers in which there is nothing. */
const options = launchOptions(clientOf<Ec2Calls>(async () => ({})));
const { launchTemplates } = options;

const fleet = { validUntil: '2026-01-01T00:00:00Z', weights: {} };
const member = { group: 'grid', requestId: 'req-1', subnetId: 'subnet-1', tags: [], weights: {}, expiresAt: 0 };

it.each<[string, CapacityProvider, PreparedLaunch['call']]>([
  ['RunInstances', createRunInstancesProvider(options), { ClientToken: 't', MinCount: 1, MaxCount: 1 }],
  ['CreateFleet', createEc2FleetProvider(options), { ...fleet, input: { Type: 'instant' } }],
  ['CreateFleet', createEc2FleetProvider(options), { ...fleet, input: { Type: 'maintain' }, launchTemplateId: 'lt-1' }],
  ['RequestSpotFleet', createSpotFleetProvider(options), { ...fleet, config: {}, launchTemplateId: 'lt-1' }],
  ['LaunchInstances', createAutoScalingGroupProvider(options), member],
])('an answer to %s that names nothing leaves open what became of the launch', async (action, provider, call) => {
  const launched = provider.launch({ clientToken: 't', count: 1, pool: 'm5.large in subnet-1', call });
  await expect(launched).rejects.toMatchObject({
    code: 'provider.transient',
    aws: { code: 'UnexpectedAnswer', action },
  });
});

it('an answer that names no launch template is none', async () => {
  await expect(launchTemplates.ensure({})).rejects.toMatchObject({ aws: { action: 'CreateLaunchTemplate' } });
  await expect(launchTemplates.pin({ id: 'lt-1' })).rejects.toMatchObject({ code: 'provider.transient' });
  const order = { requestId: 'req-1', count: 1, earlier: [], attributes: {} };
  const template = { ...onDemandTemplate, launchTemplateId: 'lt-0123456789abcdef0' };
  await expect(createRunInstancesProvider(options).prepare({ ...order, template })).rejects.toThrow('no version');
});
