/** Capacity as EC2 sells it. A field left out matches everything. */
export interface Offering {
  readonly market: 'spot' | 'ondemand';
  readonly instanceType?: string;
  readonly subnetId?: string;
}

/** An offering that EC2 refused lately. */
export interface RefusedOffering extends Offering {
  /** EC2's code. */
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
  readonly expiresAt: number;
}

const minute = 60_000;
/** Karpenter's three minutes for capacity; a quota takes somebody to raise it (aws-provisioning-facts 15). */
const [capacityLifetime, quotaLifetime] = [3 * minute, 10 * minute];

/** How much of an offering a refusal is about. */
export type OfferingScope = 'pool' | 'subnet' | 'market' | 'quota';

/** Clocks of hosts that share a memory differ by so much, ms, without being wrong. */
const clockTolerance = minute;

/** Whether a refusal still counts. One that would for longer than any does was noted by a clock that was wrong. */
export const stillCounts = ({ expiresAt }: Pick<RefusedOffering, 'expiresAt'>, now: number): boolean =>
  expiresAt > now && expiresAt <= now + quotaLifetime + clockTolerance;

/** What a refusal teaches about the offering that was asked for; undefined where it has no name for what it is about. */
export const refusedOffering = (
  { market, instanceType, subnetId }: Offering,
  { code, scope: meaning }: { readonly code: string; readonly scope: OfferingScope },
  now: number,
): RefusedOffering | undefined => {
  const subnet = subnetId === undefined ? {} : { subnetId };
  const type = instanceType === undefined ? {} : { instanceType };
  const scope = { pool: { ...type, ...subnet }, subnet, market: {}, quota: type }[meaning];
  // Without a name there is nothing to leave out.
  if (meaning !== 'market' && Object.keys(scope).length === 0) return undefined;
  const lifetime = meaning === 'pool' || meaning === 'subnet' ? capacityLifetime : quotaLifetime;
  return { market, ...scope, code, seenAt: now, expiresAt: now + lifetime };
};

const covers = (refused: Offering, offering: Offering): boolean =>
  refused.market === offering.market &&
  (refused.instanceType === undefined || refused.instanceType === offering.instanceType) &&
  (refused.subnetId === undefined || refused.subnetId === offering.subnetId);

export const isRefused = (refused: readonly Offering[], offering: Offering): boolean =>
  refused.some((each) => covers(each, offering));

/** The choices whose offerings were not refused lately; all of them where none is left: EC2 is asked rather than nobody. */
export const promising = <T>(
  choices: readonly T[],
  refused: readonly Offering[],
  offeringOf: (choice: T) => Offering,
): readonly T[] => {
  const left = choices.filter((choice) => !isRefused(refused, offeringOf(choice)));
  return left.length === 0 ? choices : left;
};
