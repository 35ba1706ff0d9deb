/** Capacity as EC2 sells it. What is left out stands for all there is. */
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

/** EC2's codes that say something about an offering, with how much of it they are about. */
const meanings: Readonly<Record<string, 'pool' | 'subnet' | 'market' | 'quota'>> = {
  InsufficientInstanceCapacity: 'pool',
  UnfulfillableCapacity: 'pool',
  Unsupported: 'pool',
  ReservationCapacityExceeded: 'pool',
  InsufficientFreeAddressesInSubnet: 'subnet',
  MaxSpotInstanceCountExceeded: 'market',
  VcpuLimitExceeded: 'quota',
};

/** What a refusal teaches about the offering that was asked for; undefined where it is about something else. */
export const refusedOffering = (
  { market, instanceType, subnetId }: Offering,
  code: string,
  now: number,
): RefusedOffering | undefined => {
  const meaning = meanings[code];
  if (meaning === undefined) return undefined;
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
