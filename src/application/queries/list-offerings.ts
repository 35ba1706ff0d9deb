import { closed, listOf } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, time, words } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, OfferingMemory } from '../ports/memory.ts';
import type { Policy } from '../ports/policy.ts';
import { isoTime } from '../read-model/iso-times.ts';

export const listOfferings = defineOperation({
  name: 'ListOfferings',
  bus: 'query',
  role: 'viewer',
  title: 'List what launches avoid: offerings that EC2 refused recently, templates whose machines all failed',
  input: {},
  answer: closed({
    refused: listOf(
      closed(
        {
          market: { enum: ['spot', 'ondemand'] },
          instanceType: words,
          subnetId: words,
          code: { ...words, description: 'EC2’s' },
          seenAt: time,
          expiresAt: time,
        },
        ['instanceType', 'subnetId'],
      ),
    ),
    templates: listOf(
      closed({
        templateId: words,
        failures: { ...number, description: 'Machines in a row that never became usable' },
        isProtected: { ...flag, description: 'Whether it launches nothing until this expires or is cleared' },
      }),
    ),
  }),
});

export type ListOfferingsAnswer = AnswerOf<typeof listOfferings>;

export interface ListOfferingsPorts {
  readonly offerings: Pick<OfferingMemory, 'list'>;
  readonly failures: Pick<LaunchFailures, 'of' | 'templateIds'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
}

export const listOfferingsHandler =
  ({ offerings, failures, policy }: ListOfferingsPorts): HandlerOf<typeof listOfferings> =>
  async () => {
    const templateIds = await failures.templateIds();
    const templates = await Promise.all(
      templateIds.map(async (templateId) => {
        const noted = await failures.of(templateId);
        return {
          templateId,
          failures: noted.machineIds.length,
          isProtected: isProtected(policy, noted),
        };
      }),
    );
    const refused = [...(await offerings.list())]
      .sort((a, b) => a.expiresAt - b.expiresAt)
      .map((each) => ({ ...each, seenAt: isoTime(each.seenAt), expiresAt: isoTime(each.expiresAt) }));
    return { refused, templates };
  };
