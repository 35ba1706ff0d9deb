import { describe, expect, it } from 'vitest';
import type { KnownCondition } from '../../../src/application/ports/notices.ts';
import { afterNotice, type Condition, dueNotices } from '../../../src/notify/notices.ts';

const hour = 3_600_000;
const ill: Condition = { condition: 'template.protected', subject: 'od', summary: 'It is ill.' };

/** Looks one after the other, everything that is due getting through unless a channel is named as dead. */
const watch = (channels: readonly string[] = ['webhook']) => {
  let noted: readonly KnownCondition[] = [];
  return {
    on: (record: readonly KnownCondition[]): void => {
      noted = record;
    },
    noted: () => noted,
    look: (
      now: number,
      conditions: readonly Condition[],
      { dead = [], unknown = [] }: { readonly dead?: readonly string[]; readonly unknown?: readonly string[] } = {},
    ): readonly string[] => {
      const due = dueNotices(noted, { now, conditions, isUnknown: (name) => unknown.includes(name) }, channels, hour);
      noted = due.noted;
      for (const notice of due.notices) if (!dead.includes(notice.channel)) noted = afterNotice(noted, notice, now);
      return due.notices.map(({ status, channel, subject }) => `${status} ${subject} ${channel}`);
    },
  };
};

describe('somebody', () => {
  it('is told of a condition when it begins, and when it has ended; then nothing is remembered', () => {
    const { look, noted } = watch();
    expect(look(0, [])).toEqual([]);
    expect(look(1, [ill])).toEqual(['raised od webhook']);
    expect(look(2, [ill])).toEqual([]);
    expect(look(3, [])).toEqual(['resolved od webhook']);
    expect(look(4, [])).toEqual([]);
    expect(noted()).toEqual([]);
  });

  it('is told again of what lasts, at most so often', () => {
    const { look } = watch();
    look(0, [ill]);
    expect(look(hour - 1, [ill])).toEqual([]);
    expect(look(hour, [ill])).toEqual(['repeated od webhook']);
    expect(look(hour + 1, [ill])).toEqual([]);
  });

  it('is told of each template by itself', () => {
    const { look } = watch();
    look(0, [ill]);
    expect(look(1, [ill, { ...ill, subject: 'spot' }])).toEqual(['raised spot webhook']);
    expect(look(2, [{ ...ill, subject: 'spot' }])).toEqual(['resolved od webhook']);
  });

  it('is not told of what is over before it has lasted long enough', () => {
    const { look } = watch();
    const away: Condition = { ...ill, condition: 'aws.unreachable', hold: 10 };
    expect(look(0, [away])).toEqual([]);
    expect(look(9, [away])).toEqual([]);
    expect(look(9.5, [])).toEqual([]);
    expect(look(10, [away])).toEqual([]);
    expect(look(20, [away])).toEqual(['raised od webhook']);
  });

  it('who could not be reached is told at the next look, also of the end; others hear nothing twice', () => {
    const { look, noted } = watch(['command', 'webhook']);
    expect(look(0, [ill], { dead: ['webhook'] })).toEqual(['raised od command', 'raised od webhook']);
    expect(look(1, [ill])).toEqual(['raised od webhook']);
    expect(look(2, [], { dead: ['command'] })).toEqual(['resolved od command', 'resolved od webhook']);
    expect(look(3, [])).toEqual(['resolved od command']);
    expect(noted()).toEqual([]);
  });

  it('hears nothing of the end of what could not be looked at, and nothing twice afterwards', () => {
    const { look } = watch();
    look(0, [ill]);
    expect(look(1, [], { unknown: ['template.protected'] })).toEqual([]);
    expect(look(2, [ill])).toEqual([]);
    expect(look(3, [])).toEqual(['resolved od webhook']);
  });

  it('is not left waiting by a clock that was ahead', () => {
    const { look, on } = watch();
    on([{ ...ill, since: 9 * hour, told: { webhook: 9 * hour } }]);
    expect(look(1, [ill])).toEqual(['repeated od webhook']);
    expect(look(2, [ill])).toEqual([]);
  });
});
