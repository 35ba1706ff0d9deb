/** Fields about capacity that the administrator has reserved at AWS. */
export interface ReservedCapacity {
  /** `open`, `none`, the id of a reservation, or the ARN of a resource group of reservations. */
  readonly capacityReservation?: string;
  /** A Capacity Block for ML, whose id is in `capacityReservation`. */
  readonly marketType?: 'capacity-block';
}

interface Launch extends ReservedCapacity {
  readonly priceType: string;
  readonly fleetType?: string;
  readonly vmTypes?: Readonly<Record<string, number>>;
  readonly abisInstanceRequirements?: object;
  readonly allOrNothing: boolean;
}

interface Problem {
  readonly field: string;
  readonly rule: string;
}

export const isReservationId = (text = ''): boolean => text.startsWith('cr-');

/** Whether launches name the reservation or group they go to: EC2 gives them nothing else, or that first. */
export const isTargeted = ({ capacityReservation = '' }: ReservedCapacity): boolean =>
  isReservationId(capacityReservation) || capacityReservation.startsWith('arn:');

const blockProblems = (template: Launch, api: string): readonly Problem[] => {
  const { capacityReservation, fleetType = 'instant', vmTypes = {}, abisInstanceRequirements, allOrNothing } = template;
  const isLaunchable = api === 'RunInstances' || (api === 'EC2Fleet' && fleetType === 'instant');
  const when = 'with marketType capacity-block';
  return [
    ...(isLaunchable
      ? []
      : [{ field: 'marketType', rule: 'capacity-block is for RunInstances and for EC2Fleet of type instant' }]),
    ...(isReservationId(capacityReservation)
      ? []
      : [{ field: 'capacityReservation', rule: `must be the id of the block (cr-…) ${when}` }]),
    ...(Object.keys(vmTypes).length > 1 || abisInstanceRequirements !== undefined
      ? [{ field: 'vmTypes', rule: `must be the one type of the block ${when}` }]
      : []),
    ...(allOrNothing && api === 'EC2Fleet'
      ? [{ field: 'allOrNothing', rule: `is not for EC2Fleet ${when}; RunInstances takes it` }]
      : []),
  ];
};

/** What of a template's reserved capacity AWS would refuse, or pass over at a price. */
export const reservedCapacityProblems = (template: Launch, api: string): readonly Problem[] => {
  const { capacityReservation, marketType, priceType } = template;
  const block = marketType === undefined ? [] : blockProblems(template, api);
  if (capacityReservation === undefined) return block;
  const field = 'capacityReservation';
  return [
    ...block,
    ...(api === 'SpotFleet' ? [{ field, rule: 'is not for SpotFleet; EC2Fleet takes it' }] : []),
    ...(priceType !== 'ondemand' && capacityReservation !== 'none'
      ? [{ field, rule: `is for priceType ondemand: ${priceType} uses no reserved capacity` }]
      : []),
  ];
};
