import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, text, texts } from '../bus/shapes.ts';
import type { LaunchFailures, OfferingMemory } from '../ports/memory.ts';
import type { Logger } from '../ports/telemetry.ts';

export const clearOfferings = defineOperation({
  name: 'ClearOfferings',
  bus: 'command',
  role: 'admin',
  title: 'Forget refused offerings and failures, so that the next request tries them again',
  input: {
    instanceType: { ...text, description: 'Only offerings of this instance type' },
    templateId: { ...text, description: 'Only the failures of this template' },
  },
  answer: closed({ offerings: number, templates: texts }),
});

export interface ClearOfferingsPorts {
  readonly offerings: OfferingMemory;
  readonly failures: LaunchFailures;
  readonly log: Logger;
}

export const clearOfferingsHandler =
  ({ offerings, failures, log }: ClearOfferingsPorts): HandlerOf<typeof clearOfferings> =>
  async ({ instanceType, templateId }) => {
    const matches = (offering: { readonly instanceType?: string }): boolean =>
      templateId === undefined && (instanceType === undefined || offering.instanceType === instanceType);
    const cleared = await offerings.forget(matches);
    const noted = instanceType === undefined ? await failures.templateIds() : [];
    const templates = noted.filter((each) => templateId === undefined || each === templateId);
    for (const each of templates) await failures.clear(each);
    log.info('offerings.cleared', `${cleared} offerings, ${templates.length} templates`);
    return { offerings: cleared, templates };
  };
