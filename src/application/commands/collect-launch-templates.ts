import { messageOf, PluginError } from '../../domain/errors.ts';
import type { Command, Handler, Operation } from '../bus/bus.ts';
import { foldRequest, readAll } from '../life-cycle/streams.ts';
import type { LaunchTemplateShelf, StoredLaunchTemplate } from '../ports/capacity.ts';
import type { Clock } from '../ports/policy.ts';
import type { RequestStreams } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

/** Removes launch templates of ours that no request of late has used. Without `apply` it only tells which. */
export interface CollectLaunchTemplates extends Command {
  readonly type: 'CollectLaunchTemplates';
  /** Milliseconds for which a launch template must have been unused. */
  readonly unusedFor: number;
  readonly apply?: boolean;
}

export interface CollectLaunchTemplatesAnswer {
  readonly unused: readonly StoredLaunchTemplate[];
  readonly kept: number;
  /** Ids that are gone now. */
  readonly removed: readonly string[];
}

export interface CollectLaunchTemplatesPorts {
  readonly streams: RequestStreams;
  readonly shelf: () => Promise<LaunchTemplateShelf>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the launches of a request mention: those since `time`, and all of one that is not over. */
const mentionsSince = async ({ streams }: CollectLaunchTemplatesPorts, time: number): Promise<string> => {
  const { read, warnings } = await readAll(streams, await streams.ids());
  // A record that cannot be read may use any of them.
  if (warnings.length > 0) throw new PluginError('storage.unreadable', warnings.join('; '));
  const texts = read.flatMap(({ stream }) => {
    const request = foldRequest(stream);
    if (request.stage === 'absent') return [];
    const isOver = request.stage === 'settled' && request.resources.every(({ stage }) => stage === 'deleted');
    const recent = request.launches.filter(({ sentAt }) => !isOver || sentAt >= time);
    return recent.map(({ call }) => JSON.stringify(call));
  });
  return texts.join('\n');
};

export const collectLaunchTemplatesHandler =
  (ports: CollectLaunchTemplatesPorts): Handler<Operation<CollectLaunchTemplates, CollectLaunchTemplatesAnswer>> =>
  async ({ unusedFor, apply = false }) => {
    const since = ports.clock() - unusedFor;
    const shelf = await ports.shelf();
    const ours = await shelf.list();
    const mentioned = await mentionsSince(ports, since);
    const unused = ours.filter(({ id, createdAt }) => createdAt < since && !mentioned.includes(id));
    const removed: string[] = [];
    for (const { id, name } of apply ? unused : []) {
      try {
        await shelf.remove(id);
        removed.push(id);
        ports.log.info('launch-template.removed', name, { id });
      } catch (error) {
        ports.log.warn('launch-template.kept', messageOf(error), { id });
      }
    }
    return { unused, kept: ours.length - unused.length, removed };
  };
