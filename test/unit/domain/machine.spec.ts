import { describe, expect, it } from 'vitest';
import {
  differs,
  hasEnded,
  type Machine,
  type MachineState,
  resultOf,
  withObservation,
} from '../../../src/domain/machine.ts';
import { pending, running } from './request/request-given.ts';

describe('the result of a machine for its request', () => {
  it.each<[string, Machine, string]>([
    ['pending', pending('i-1'), 'executing'],
    ['running with name and address', running('i-1'), 'succeed'],
    ['running without a name', { ...running('i-1'), name: '' }, 'executing'],
    ['running without an address', { ...running('i-1'), privateIpAddress: '' }, 'executing'],
    ['shutting-down', { ...running('i-1'), state: 'shutting-down' }, 'fail'],
    ['terminated', { ...running('i-1'), state: 'terminated' }, 'fail'],
    ['stopping', { ...running('i-1'), state: 'stopping' }, 'fail'],
    ['stopped', { ...running('i-1'), state: 'stopped' }, 'fail'],
    ['given up', { ...pending('i-1'), givenUp: 'late' }, 'fail'],
    ['missed once', { ...pending('i-1'), missedSince: 5 }, 'executing'],
  ])('%s is %3$s', (_, machine, result) => expect(resultOf(machine)).toBe(result));
});

it.each<[MachineState, boolean]>([
  ['pending', false],
  ['running', false],
  ['shutting-down', true],
  ['terminated', true],
  ['stopping', true],
  ['stopped', true],
])('%s is past use: %s', (state, ended) => expect(hasEnded(state)).toBe(ended));

describe('a new look', () => {
  const known: Machine = {
    ...running('i-1'),
    publicIpAddress: '54.0.0.1',
    launchTime: 5,
    returnId: 'ret-1',
    missedSince: 9,
  };

  it('never replaces a known value by an empty one', () =>
    expect(withObservation(known, { ...pending('i-1'), instanceType: '' })).toMatchObject({
      name: known.name,
      privateIpAddress: known.privateIpAddress,
      publicIpAddress: known.publicIpAddress,
      instanceType: 'm5.large',
    }));

  it('ends a miss and keeps what we noted', () => {
    const next = withObservation(known, running('i-1'));
    expect([next.missedSince, next.returnId]).toEqual([undefined, 'ret-1']);
  });

  it.each<[string, Partial<Machine>]>([
    ['state', { state: 'stopped' }],
    ['name', { name: 'other' }],
    ['private address', { privateIpAddress: '10.9.9.9' }],
    ['public address', { publicIpAddress: '54.9.9.9' }],
    ['launch time', { launchTime: 99 }],
  ])('is worth recording when the %s differs', (_, change) =>
    expect(differs(known, { ...known, ...change })).toBe(true),
  );

  it('that shows the same is not worth recording', () => expect(differs(known, { ...known })).toBe(false));
});
