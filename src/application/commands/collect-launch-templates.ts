import { messageOf } from '../../domain/errors.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, texts, time, words } from '../bus/shapes.ts';
import type { LaunchTemplateShelf } from '../ports/capacity.ts';
import type { Clock } from '../ports/policy.ts';
import type { Logger } from '../ports/telemetry.ts';
import { isoTime } from '../read-model/iso-times.ts';
import { type LaunchTemplatePorts, unusedLaunchTemplates } from '../sweep/unused-launch-templates.ts';

export const collectLaunchTemplates = defineOperation({
  name: 'CollectLaunchTemplates',
  bus: 'command',
  role: 'admin',
  title: 'List our launch templates that no recent request has used; remove them if asked to',
  input: {
    unusedFor: { type: 'number', minimum: 0, description: 'Milliseconds a launch template must have been unused' },
    apply: { ...flag, description: 'Remove them' },
  },
  required: ['unusedFor'],
  answer: closed({
    unused: listOf(closed({ id: words, name: words, createdAt: time, requestId: words }, ['requestId'])),
    kept: number,
    removed: { ...texts, description: 'Ids that were removed' },
  }),
});

export type CollectLaunchTemplatesAnswer = AnswerOf<typeof collectLaunchTemplates>;

export interface CollectLaunchTemplatesPorts extends LaunchTemplatePorts {
  readonly shelf: () => Promise<LaunchTemplateShelf>;
  readonly clock: Clock;
  readonly log: Logger;
}

export const collectLaunchTemplatesHandler =
  (ports: CollectLaunchTemplatesPorts): HandlerOf<typeof collectLaunchTemplates> =>
  async ({ unusedFor, apply = false }) => {
    const shelf = await ports.shelf();
    const { unused, kept } = await unusedLaunchTemplates(ports, ports.clock() - unusedFor);
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
    return { unused: unused.map((each) => ({ ...each, createdAt: isoTime(each.createdAt) })), kept, removed };
  };
