import { describe, expect, it } from 'vitest';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { outcomeOf } from '../../../../src/domain/request/outcome.ts';
import {
  completed,
  created,
  foldOf,
  granted,
  intended,
  knownOf,
  observed,
  running,
  terminated,
} from './request-given.ts';

const launched = [created, intended(), granted(running('i-1'), running('i-2'))];
const { templateId } = created.template;

/** What is said of the template once the request has settled. */
const outcome = (...events: readonly RequestEvent[]) =>
  outcomeOf(knownOf(created), foldOf(...launched, ...events, completed));

describe('what the machines of a request say about its template', () => {
  it('is that it fails where all have died', () =>
    expect(outcome(observed(terminated('i-1'), terminated('i-2')))).toEqual({ templateId, failed: ['i-1', 'i-2'] }));

  it('is that it works where one is usable', () =>
    expect(outcome(observed(terminated('i-1')))).toEqual({ templateId, failed: [] }));

  it('is nothing where it was cancelled: what nobody wanted was released, whatever it was like', () =>
    expect(
      outcome({ type: 'RequestCancelled', at: 3, reason: 'enough' }, observed(terminated('i-1'), terminated('i-2'))),
    ).toBeUndefined());

  it('is nothing of a host that was given back before it was usable', () =>
    expect(
      outcome(
        { type: 'MachinesReturned', at: 3, returnId: 'ret-1', machineIds: ['i-1'] },
        observed(terminated('i-1'), terminated('i-2')),
      ),
    ).toEqual({ templateId, failed: ['i-2'] }));

  it('is said once', () => {
    const settled = [...launched, observed(terminated('i-1'), terminated('i-2')), completed];
    expect(outcomeOf(knownOf(...settled), foldOf(...settled))).toBeUndefined();
    expect(outcomeOf(knownOf(created), foldOf(...launched))).toBeUndefined();
  });
});
