/** What becomes of a name of another vocabulary that is no field here. */
export type ForeignField =
  /** Says in another form what a field here says: how, for people; the reading is in template-vocabulary.ts. */
  | { readonly as: string }
  /** Means something to others, nothing here: what to write, or why there is nothing to write. */
  | { readonly instead: string }
  /** Written by tools, for people or for other programs. */
  | { readonly isIgnored: true };

const ignored: ForeignField = { isIgnored: true };

/** Names of IBM's plug-ins for Symphony and LSF and of Open Resource Broker that are no fields here. */
export const foreignFields = {
  spotPrice: { as: 'above 0: as priceType spot with this as maxSpotPrice' },
  requestValidity: { as: 'as spotFleetRequestExpiry, in minutes' },
  onDemandTargetCapacityRatio: { as: 'as percentOnDemand' },
  metadata: { as: 'as the fields of the template that it names, such as fleetType' },
  priceInfo: { as: 'as attributes.priceInfo' },
  rank: { as: 'as attributes.rank' },
  ec2FleetConfig: { as: 'the request of CreateFleet in that file, in the words of this template' },
  providerApiSpecFile: { as: 'the request of CreateFleet in that file, in the words of this template' },
  launchTemplateSpecFile: { as: 'the launch template data in that file, in the words of this template' },
  targetCapacityType: { instead: 'write priceType' },
  userData: { instead: 'write the exports into the script that userDataScript names' },
  priority: { instead: 'write attributes.rank, by which Symphony selects' },
  computeUnit: { instead: "is LSF's own and means nothing to Symphony" },
  gpuextend: { instead: "is LSF's own and means nothing to Symphony" },
  marketSpotPrice: { instead: 'was never for users' },
  machineCount: { instead: 'was never for users' },
  durationInHours: { instead: 'was never for users' },
  ttl: { instead: 'was never for users' },
  pgrpName: ignored,
  onDemandCapacity: ignored,
  $schema: ignored,
  $comment: ignored,
  name: ignored,
  description: ignored,
  providerType: ignored,
  providerName: ignored,
  createdAt: ignored,
  updatedAt: ignored,
  version: ignored,
  networkZones: ignored,
  schedulerType: ignored,
  isActive: ignored,
} as const satisfies Readonly<Record<string, ForeignField>>;
