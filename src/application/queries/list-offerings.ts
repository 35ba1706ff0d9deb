import type { RefusedOffering } from '../../domain/offering.ts';
import type { Handler, Message, Operation } from '../bus/bus.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, OfferingMemory } from '../ports/memory.ts';
import type { Policy } from '../ports/policy.ts';

/** What launches keep clear of at the moment: offerings EC2 refused, and templates whose machines all failed. */
export interface ListOfferings extends Message {
  readonly type: 'ListOfferings';
}

export interface ListOfferingsAnswer {
  readonly refused: readonly RefusedOffering[];
  readonly templates: readonly {
    readonly templateId: string;
    /** Machines in a row that never became usable. */
    readonly failures: number;
    /** Whether it launches nothing until that expires or is cleared. */
    readonly isProtected: boolean;
  }[];
}

export interface ListOfferingsPorts {
  readonly offerings: OfferingMemory;
  readonly failures: LaunchFailures;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
}

export const listOfferingsHandler =
  ({ offerings, failures, policy }: ListOfferingsPorts): Handler<Operation<ListOfferings, ListOfferingsAnswer>> =>
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
    const refused = [...(await offerings.list())].sort((a, b) => a.expiresAt - b.expiresAt);
    return { refused, templates };
  };
