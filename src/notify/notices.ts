import type { KnownCondition, Notice } from '../application/ports/notices.ts';

/** Something that is not as it should be. */
export interface Condition extends Pick<KnownCondition, 'condition' | 'subject' | 'summary'> {
  /** ms since the epoch; absent where it is not known when it began. */
  readonly since?: number;
  /** Milliseconds that it must last before it is told. */
  readonly hold?: number;
}

export interface Sighting {
  readonly now: number;
  /** What holds now. */
  readonly conditions: readonly Condition[];
  /** Whether a condition could not be looked at: then nothing is known of it. */
  readonly isUnknown: (condition: string) => boolean;
}

const keyOf = ({ condition, subject }: Pick<KnownCondition, 'condition' | 'subject'>): string =>
  `${condition} ${subject}`;

/** What is on record after a look, before anybody is told. */
const seen = (before: readonly KnownCondition[], { now, conditions }: Sighting): readonly KnownCondition[] => {
  const known = new Map(before.map((noted) => [keyOf(noted), noted]));
  return conditions.map(({ condition, subject, summary, since }) => {
    const noted = known.get(keyOf({ condition, subject }));
    // A time that lies ahead was noted by a clock that was wrong.
    const first = Math.min(now, since ?? noted?.since ?? now);
    return { condition, subject, summary, since: first, told: noted?.told ?? {} };
  });
};

/**
 * The notices that are due, and what is on record before they are told: each channel hears of a condition when it begins, every
 * `repeat`, ms, while it lasts, and when it has ended.
 */
export const dueNotices = (
  before: readonly KnownCondition[],
  sighting: Sighting,
  channels: readonly string[],
  repeat: number,
): { readonly notices: readonly Notice[]; readonly noted: readonly KnownCondition[] } => {
  const { now, conditions, isUnknown } = sighting;
  const holds = new Map(conditions.map((each) => [keyOf(each), each.hold ?? 0]));
  const firing = seen(before, sighting);
  const gone = before.filter((noted) => !holds.has(keyOf(noted)));
  const ended = gone.filter(({ condition }) => !isUnknown(condition));
  const noticeOf = ({ told: _told, ...about }: KnownCondition, status: Notice['status'], channel: string): Notice => ({
    ...about,
    status,
    channel,
  });
  const ofFiring = (noted: KnownCondition, channel: string): readonly Notice[] => {
    const last = noted.told[channel];
    if (last !== undefined) return last > now || now - last >= repeat ? [noticeOf(noted, 'repeated', channel)] : [];
    return now - noted.since >= (holds.get(keyOf(noted)) ?? 0) ? [noticeOf(noted, 'raised', channel)] : [];
  };
  const ofChannel = (channel: string): readonly Notice[] => [
    ...firing.flatMap((noted) => ofFiring(noted, channel)),
    ...ended.flatMap((noted) => (noted.told[channel] === undefined ? [] : [noticeOf(noted, 'resolved', channel)])),
  ];
  const isOwed = ({ told }: KnownCondition): boolean => channels.some((channel) => told[channel] !== undefined);
  const kept = gone.filter((noted) => isUnknown(noted.condition) || isOwed(noted));
  return { notices: channels.flatMap(ofChannel), noted: [...firing, ...kept] };
};

/** The record after a notice has reached its channel. */
export const afterNotice = (
  noted: readonly KnownCondition[],
  { channel, status, ...about }: Notice,
  now: number,
): readonly KnownCondition[] =>
  noted.flatMap((each) => {
    if (keyOf(each) !== keyOf(about)) return [each];
    if (status !== 'resolved') return [{ ...each, told: { ...each.told, [channel]: now } }];
    const { [channel]: _told, ...told } = each.told;
    return Object.keys(told).length === 0 ? [] : [{ ...each, told }];
  });
