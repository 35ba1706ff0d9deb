import { describe, expect, it } from 'vitest';
import { answerDifferences } from '../../../src/recording/compare.ts';

const machine = {
  machineId: 'i-1',
  name: 'ip-10-0-0-1.ec2.internal',
  result: 'succeed',
  status: 'running',
  privateIpAddress: '10.0.0.1',
  publicIpAddress: '',
  launchtime: 1_700_000_000,
  message: '',
  instanceTags: 'a=1;b=2',
};
const answer = (status: string, ...machines: readonly object[]) => ({
  requests: [{ requestId: 'req-1', status, message: '1 of 1', machines }],
});
const compared = (before: object, now: object, operation = 'getRequestStatus') =>
  answerDifferences(operation, { status: 0, answer: before }, { status: 0, answer: now }, false);

describe('a recorded answer and that of a replay', () => {
  it.each([
    [
      'order of machines',
      answer('complete', machine, { ...machine, machineId: 'i-2' }),
      answer('complete', { ...machine, machineId: 'i-2' }, machine),
    ],
    ['times', answer('complete', machine), answer('complete', { ...machine, launchtime: 5 })],
    ['order of tags', answer('complete', machine), answer('complete', { ...machine, instanceTags: 'b=2;a=1' })],
    ['a name that AWS had not given yet', answer('complete', { ...machine, name: '' }), answer('complete', machine)],
    ['the pace of AWS', answer('running', { ...machine, result: 'executing' }), answer('complete', machine)],
    [
      'a public address, which the subnet gives',
      answer('complete', machine),
      answer('complete', { ...machine, publicIpAddress: '1.2.3.4' }),
    ],
  ])('are the same whatever the %s', (_what, before, now) => expect(compared(before, now)).toEqual([]));

  it.each([
    ['its status', answer('complete', machine), answer('complete_with_error', machine), 'requests[req-1].status'],
    [
      'a request that has not ended in the replay',
      answer('complete', machine),
      answer('running', machine),
      'requests[req-1].status',
    ],
    [
      'a result',
      answer('complete', machine),
      answer('complete', { ...machine, result: 'fail' }),
      'requests[req-1].machines[i-1].result',
    ],
    [
      'a name that is missing',
      answer('complete', machine),
      answer('complete', { ...machine, name: '' }),
      'requests[req-1].machines[i-1].name',
    ],
    ['a machine that is missing', answer('complete', machine), answer('complete'), 'requests[req-1].machines[i-1]'],
    ['a machine more', answer('complete'), answer('complete', machine), 'requests[req-1].machines[i-1]'],
    ['a request that is missing', answer('complete', machine), { requests: [] }, 'requests[req-1]'],
  ])('differ by %s', (_what, before, now, where) =>
    expect(compared(before, now).map((each) => each.where)).toEqual([where]),
  );

  it('differ by the exit status, and by what is said', () => {
    const [before, now] = [{ message: 'no' }, { message: 'yes', requestId: 'req-1' }];
    expect(
      answerDifferences('requestMachines', { status: 1, answer: before }, { status: 0, answer: now }, false),
    ).toEqual([
      { where: 'exit status', recorded: 1, replayed: 0 },
      { where: 'message', recorded: 'no', replayed: 'yes' },
      { where: 'requestId', recorded: undefined, replayed: 'req-1' },
    ]);
  });

  it('are compared without a message that counts, where only a part was replayed', () => {
    const [before, now] = [{ message: '3 hosts' }, { message: '2 hosts' }].map((each) => ({ status: 0, answer: each }));
    if (before === undefined || now === undefined) throw new Error('there are two');
    expect(answerDifferences('getReturnRequests', before, now, true)).toEqual([]);
    expect(answerDifferences('getReturnRequests', before, now, false)).toHaveLength(1);
  });

  it('may name files wherever these lie', () => {
    const said = (path: string) => ({ message: `no template in ${path}` });
    expect(compared(said('/opt/conf/awsinstprov_templates.json'), said('/tmp/x/awsprov_templates.json'))).toEqual([]);
  });
});
