import { describe, expect, it } from 'vitest';
import {
  clientTokenOf,
  createIdOf,
  isCreateId,
  isInstanceId,
  isReturnId,
  returnIdOf,
} from '../../../src/domain/ids.ts';

const uuid = '5f1c0a4e-1111-4222-8333-0123456789ab';

describe('request ids', () => {
  it('tell create from return requests by their prefix', () => {
    expect([createIdOf(uuid), returnIdOf(uuid)].map((id) => [isCreateId(id), isReturnId(id)])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it.each(['', 'req-', 'req-1', `REQ-${uuid}`, `req-${uuid}/..`, `req-${uuid}\n`, 'ret-../../etc', 'r-0a1b2c3d'])(
    '%j is nobody’s request id',
    (id) => expect([isCreateId(id), isReturnId(id)]).toEqual([false, false]),
  );

  it('leave room for the index of a launch within EC2’s 64 characters of a client token', () => {
    expect(clientTokenOf(createIdOf(uuid), 99_999).length).toBeLessThanOrEqual(64);
  });

  it('make different tokens for different launches and the same for the same', () => {
    expect(clientTokenOf('req-1', 0)).toBe(clientTokenOf('req-1', 0));
    expect(clientTokenOf('req-1', 0)).not.toBe(clientTokenOf('req-1', 1));
  });
});

describe('an instance id', () => {
  it.each(['i-12345678', 'i-0123456789abcdef0'])('%s could be from EC2', (id) => expect(isInstanceId(id)).toBe(true));

  it.each(['', 'i-', 'i-1234567', 'i-123456789', 'i-0123456789ABCDEF0', 'I-12345678', 'x i-12345678', 'host-1'])(
    '%j could not be from EC2',
    (id) => expect(isInstanceId(id)).toBe(false),
  );
});
