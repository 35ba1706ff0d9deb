import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const post = (url: string, body: string, headers: Record<string, string> = { authorization: 'Credential=A/x' }) =>
  fetch(url, { method: 'POST', body, headers });

describe('the protocol', () => {
  it.each([
    ['Action=LaunchRockets&Version=2016-11-15', 'InvalidAction'],
    ['Action=DescribeInstances&Version=2016-11-15&Colour=red', 'UnknownParameter'],
    ['Action=DescribeInstances&Version=2016-11-15&MaxResults=many', 'InvalidParameterValue'],
    ['Action=RunInstances&Version=2016-11-15&ImageId=ami-12345678&MinCount=1', 'MissingParameter'],
    ['Action=TerminateInstances&Version=2016-11-15', 'MissingParameter'],
    ['Action=DescribeInstances&Version=1999-01-01', 'NoSuchVersion'],
  ])('%s is %s', async (body, code) => {
    const { emulator } = await startRegion();
    const answer = await post(emulator.url, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(
      new RegExp(
        `<Response><Errors><Error><Code>${code}</Code><Message>.+</Message></Error></Errors><RequestID>.+</RequestID></Response>`,
      ),
    );
  });
});

describe('access', () => {
  it('is refused without credentials and to denied keys', async () => {
    const { emulator, describe } = await startRegion({ settings: { deniedAccessKeys: ['AKIATEST'] } });
    await expectRefusal(describe(), 'AuthFailure', 401);
    const answer = await post(emulator.url, 'Action=DescribeInstances&Version=2016-11-15', {});
    expect(answer.status).toBe(401);
  });

  it('is refused to denied actions, naming them', async () => {
    const { run, describe } = await startRegion({ settings: { deniedActions: ['RunInstances'] } });
    await expectRefusal(run(), 'UnauthorizedOperation', 403, /not authorized to perform: ec2:RunInstances/);
    expect(await describe()).toEqual([]);
  });
});

describe('throttling', () => {
  it('is off unless asked for', async () => {
    const { run } = await startRegion();
    for (let n = 0; n < 10; n++) await run();
  });

  it('lets five launches through at once and two more each second', async () => {
    const { run, pass, emulator } = await startRegion({ settings: { throttle: true } });
    for (let n = 0; n < 5; n++) await run();
    await expectRefusal(run(), 'RequestLimitExceeded', 503);
    pass(500);
    await run();
    await expectRefusal(run(), 'RequestLimitExceeded', 503);
    expect(emulator.instances()).toHaveLength(6);
  });

  it('lets a thousand instances through at once and two more each second', async () => {
    const { run, pass } = await startRegion({ settings: { throttle: true } });
    await run({ MaxCount: 1000 });
    await expectRefusal(run(), 'RequestLimitExceeded', 503);
    pass(500);
    expect(await run()).toHaveLength(1);
  });

  it('counts the instances of a termination', async () => {
    const { run, client, pass } = await startRegion({ settings: { throttle: true } });
    const InstanceIds = idsOf(await run({ MaxCount: 1000 }));
    const terminate = () => client.send(new TerminateInstancesCommand({ InstanceIds }));
    await terminate();
    await expectRefusal(terminate(), 'RequestLimitExceeded', 503);
    pass(50_000);
    await terminate();
  });

  it('has a smaller bucket for describes without filter or page size', async () => {
    const { describe } = await startRegion({ settings: { throttle: true } });
    for (let n = 0; n < 50; n++) await describe();
    await expectRefusal(describe(), 'RequestLimitExceeded', 503);
    for (let n = 0; n < 100; n++) await describe({ MaxResults: 1000 });
    await expectRefusal(describe({ MaxResults: 1000 }), 'RequestLimitExceeded', 503);
  });
});
