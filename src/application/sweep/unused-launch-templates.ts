import { isPluginError } from '../../domain/errors.ts';
import { eachStream, foldRequest, listedIds } from '../life-cycle/streams.ts';
import type { LaunchTemplateShelf, StoredLaunchTemplate } from '../ports/capacity.ts';
import type { StreamReader } from '../ports/streams.ts';

export interface LaunchTemplatePorts {
  readonly streams: StreamReader;
  readonly shelf: () => Promise<Pick<LaunchTemplateShelf, 'list'>>;
}

/** What the launches of a request mention: those since `time`, and all of one that is not over. */
const mentionsSince = async ({ streams }: LaunchTemplatePorts, time: number): Promise<string> => {
  const texts: string[] = [];
  for await (const [, stream] of eachStream(streams, await listedIds(streams))) {
    // A record that cannot be read may use any of them.
    if (isPluginError(stream)) throw stream;
    const request = foldRequest(stream);
    if (request.stage === 'absent') continue;
    const isOver = request.stage === 'settled' && request.resources.every(({ stage }) => stage === 'deleted');
    const recent = request.launches.filter(({ sentAt }) => !isOver || sentAt >= time);
    texts.push(...recent.map(({ call }) => JSON.stringify(call)));
  }
  return texts.join('\n');
};

/** Launch templates of ours that no request has used since `time`, ms, and how many others there are. */
export const unusedLaunchTemplates = async (
  ports: LaunchTemplatePorts,
  time: number,
): Promise<{ readonly unused: readonly StoredLaunchTemplate[]; readonly kept: number }> => {
  const ours = await (await ports.shelf()).list();
  const mentioned = await mentionsSince(ports, time);
  const unused = ours.filter(({ id, createdAt }) => createdAt < time && !mentioned.includes(id));
  return { unused, kept: ours.length - unused.length };
};
