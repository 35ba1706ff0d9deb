import { describe, expect, it } from 'vitest';
import { holdingOf } from '../../../../src/application/life-cycle/holding.ts';
import { absentRequest, type Request } from '../../../../src/domain/request/state.ts';
import {
  completed,
  created,
  granted,
  intended,
  knownOf,
  refused,
  running,
} from '../../domain/request/request-given.ts';

const requestId = 'req-00000000-0000-4000-8000-000000000001';

const asked = knownOf(created, intended());
const between = knownOf(created, intended(), refused(2));

const holds = (before: Request, after: Request, isUnsure = false) => holdingOf(requestId, before, after, isUnsure);
const claim = (units: number) => ({ templateId: asked.template.templateId, requestId, units });

describe('what a request holds', () => {
  it('is by its record, and by the one before', () => {
    const over = knownOf(created, intended(), granted(running('i-1')), refused(1), completed);
    expect(holds(asked, over)).toEqual({ now: claim(1), before: 2, isUnsure: false });
  });

  it('was reserved before its first record', () =>
    expect(holds(absentRequest, asked)).toEqual({ now: claim(2), before: 2, isUnsure: false }));

  it('stays as it is between two pools, when it holds nothing, until it is over', () => {
    expect(holds(asked, between)).toBeUndefined();
    const over = knownOf(created, intended(), refused(2), completed);
    expect(holds(between, over)).toEqual({ now: claim(0), before: 0, isUnsure: true });
  });

  it('may be otherwise in the ledger when another process was faster', () =>
    expect(holds(asked, asked, true)).toEqual({ now: claim(2), before: 2, isUnsure: true }));

  it('is nothing where there is no request', () => expect(holds(absentRequest, absentRequest)).toBeUndefined());
});
