import type { Parameters } from '../wire/parameters.ts';
import type { Tags } from '../world.ts';
import type { Pool } from './pools.ts';
import type { Market } from './record.ts';

export interface MarketPlan {
  /** In EC2 Fleet's spelling. */
  readonly strategy: string;
  /** So many pools share a market's capacity; the others are for what those cannot hold. */
  readonly poolsToUse: number;
  /** Fewer units than this and nothing is launched. */
  readonly least: number;
  readonly isOneType: boolean;
  readonly isOneZone: boolean;
}

/** What a fleet's parameters come to: where it launches, and how it chooses. */
export interface Plan {
  readonly pools: readonly Pool[];
  readonly markets: Readonly<Record<Market, MarketPlan>>;
  /** On what the fleet launches, by resource type. */
  readonly tags: Readonly<Record<string, Tags>>;
  readonly isProtecting: boolean;
  /** Whether zones get the same number of instances. */
  readonly isBalanced: boolean;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A market's plan; `strategy` in any of AWS's spellings. */
export const marketPlan = (strategy: string | undefined, poolsToUse = 1, options?: Parameters): MarketPlan => ({
  strategy: kebab(strategy ?? 'lowest-price'),
  poolsToUse: kebab(strategy ?? '') === 'diversified' ? Infinity : poolsToUse,
  least: options?.number('MinTargetCapacity') ?? 0,
  isOneType: options?.flag('SingleInstanceType') ?? false,
  isOneZone: options?.flag('SingleAvailabilityZone') ?? false,
});
