import type { Command, Handler, Operation } from '../bus/bus.ts';
import type { LaunchFailures, OfferingMemory } from '../ports/memory.ts';
import type { Logger } from '../ports/telemetry.ts';

/** Forgets what launches keep clear of: the next request asks EC2 again. */
export interface ClearOfferings extends Command {
  readonly type: 'ClearOfferings';
  /** Only of this instance type. */
  readonly instanceType?: string;
  /** Only this template's failures, and no offering. */
  readonly templateId?: string;
}

export interface ClearOfferingsAnswer {
  readonly offerings: number;
  readonly templates: readonly string[];
}

export interface ClearOfferingsPorts {
  readonly offerings: OfferingMemory;
  readonly failures: LaunchFailures;
  readonly log: Logger;
}

export const clearOfferingsHandler =
  ({ offerings, failures, log }: ClearOfferingsPorts): Handler<Operation<ClearOfferings, ClearOfferingsAnswer>> =>
  async ({ instanceType, templateId }) => {
    const isMeant = (offering: { readonly instanceType?: string }): boolean =>
      templateId === undefined && (instanceType === undefined || offering.instanceType === instanceType);
    const cleared = await offerings.forget(isMeant);
    const noted = instanceType === undefined ? await failures.templateIds() : [];
    const templates = noted.filter((each) => templateId === undefined || each === templateId);
    for (const each of templates) await failures.clear(each);
    log.info('offerings.cleared', `${cleared} offerings, ${templates.length} templates`);
    return { offerings: cleared, templates };
  };
