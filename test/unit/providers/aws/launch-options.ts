import { createLaunchTemplates } from '../../../../src/providers/aws/launch/launch-templates.ts';
import type { Ec2 } from '../../../../src/providers/aws/services/ec2.ts';
import type { AutoScalingCalls } from '../../../../src/providers/aws/services/operations.ts';
import { clientOf } from '../../../../src/providers/aws/wire/query-client.ts';
import { memoryLedger } from '../../../histories/memory-store.ts';
import { createRecordingLog } from '../../recording-log.ts';

/** What any provider is made of, over this EC2; Auto Scaling answers with nothing, and nothing is remembered. */
export const launchOptions = (ec2: Ec2) => {
  const mark = { owner: 'hostfactory/awsinst', store: 'store-1', version: '1.2.3' };
  const launchTemplates = createLaunchTemplates({
    ...mark,
    ec2,
    remember: (_key, _lifetime, find) => find(),
    forget: async () => undefined,
    pause: async () => undefined,
  });
  return {
    ...mark,
    ec2,
    log: createRecordingLog(),
    launchTemplates,
    clock: Date.now,
    rootDeviceOf: async () => '/dev/xvda',
    zonesOf: async () => ({}),
    roleArn: async () => 'arn:aws:iam::123456789012:role/fleet',
    autoScaling: async () => clientOf<AutoScalingCalls>(async () => ({})),
    ledger: () => memoryLedger(Date.now),
    offerings: { refused: async () => [], remember: async () => undefined, forget: async () => 0 },
  };
};
