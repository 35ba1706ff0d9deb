import { expect, it } from 'vitest';
import { bookkeeper } from '../../../../src/application/life-cycle/bookkeeping.ts';
import { createCapacityLedger } from '../../../../src/storage/capacity-ledger.ts';
import { createLaunchFailures } from '../../../../src/storage/launch-failures.ts';
import { completed, created, intended, knownOf, minute, refused } from '../../domain/request/request-given.ts';
import { createRecordingLog } from '../../recording-log.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const requestId = 'req-00000000-0000-4000-8000-000000000001';

it('a request stays in the ledger between two pools, when it holds nothing, until it is over', async () => {
  const folder = await temporaryFolder();
  const live = createCapacityLedger(folder);
  const failures = createLaunchFailures(folder, () => 0);
  const policy = { protectAfter: 10, protectFor: minute };
  const keep = bookkeeper({ live, failures, policy, log: createRecordingLog() }, requestId, 0);
  const asked = knownOf(created, intended());
  const between = knownOf(created, intended(), refused(2));
  const over = knownOf(created, intended(), refused(2), completed);
  const inTheLedger = async () => (await live.list()).map((claim) => claim.requestId);
  await keep.follow(knownOf(created), asked);
  expect(await inTheLedger()).toEqual([requestId]);
  await keep.follow(asked, between);
  expect(await inTheLedger()).toEqual([requestId]);
  await keep.follow(between, over);
  expect(await inTheLedger()).toEqual([]);
});
