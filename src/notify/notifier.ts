import { hostname } from 'node:os';
import type { Notice, NoticeMemory, Notifier, SentNotice } from '../application/ports/notices.ts';
import { messageOf } from '../domain/errors.ts';
import type { Channel, Letter } from './channels.ts';
import { afterNotice, dueNotices, type Sighting } from './notices.ts';

export interface NotifierOptions {
  /** By name. */
  readonly channels: Readonly<Record<string, Channel>>;
  /** Milliseconds after which a condition that lasts is told again. */
  readonly repeat: number;
  /** The provider and its Region, for whoever reads it. */
  readonly provider: string;
  readonly memory: NoticeMemory;
  readonly look: () => Promise<Sighting>;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Is told what was sent, and what did not get through. */
  readonly sent: (told: SentNotice) => void;
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

/** In the form of Standard Webhooks: type, time, data. */
const letterOf = ({ provider, newId, clock }: NotifierOptions, notice: Notice): Letter => {
  const { condition, subject, summary, since, status } = notice;
  const data = { condition, subject, summary, since: isoTime(since), provider, host: hostname() };
  const type = status === 'test' ? 'notify.test' : `condition.${status}`;
  return { id: newId(), body: JSON.stringify({ type, timestamp: isoTime(clock()), data }) };
};

/** Tells people of conditions by the channels there are. */
export const createNotifier = (options: NotifierOptions): Notifier => {
  const { channels, repeat, memory, look, clock } = options;
  const names = Object.keys(channels);
  const send = async (notice: Notice): Promise<SentNotice> => {
    const fault = await channels[notice.channel]?.(letterOf(options, notice)).then(() => undefined, messageOf);
    const sent = fault === undefined ? notice : { ...notice, fault };
    options.sent(sent);
    return sent;
  };
  const due = async () => dueNotices(await memory.read(), await look(), names, repeat);
  return {
    check: async () => {
      let { notices, noted } = await due();
      await memory.write(noted);
      const all: SentNotice[] = [];
      for (const notice of notices) {
        const sent = await send(notice);
        all.push(sent);
        if (sent.fault !== undefined) continue;
        noted = afterNotice(noted, notice, clock());
        await memory.write(noted);
      }
      return all;
    },
    preview: async () => (await due()).notices,
    test: async () => {
      const summary = 'This is a test: nothing is wrong.';
      const about = { condition: 'notify.test', subject: '', summary, since: clock(), status: 'test' } as const;
      const all: SentNotice[] = [];
      for (const channel of names) all.push(await send({ ...about, channel }));
      return all;
    },
  };
};
