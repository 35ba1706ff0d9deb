/** Fields of other Host Factory plug-ins for AWS that this one does not know, and what stands for them here. */
export const foreignFields: Readonly<Record<string, string>> = {
  targetCapacityType: 'write priceType',
  userData: 'write the exports into the script that userDataScript names',
  priority: 'write attributes.rank, by which Symphony selects',
  computeUnit: "is LSF's own and means nothing to Symphony",
  gpuextend: "is LSF's own and means nothing to Symphony",
  marketSpotPrice: 'was never for users',
  machineCount: 'was never for users',
  durationInHours: 'was never for users',
  ttl: 'was never for users',
};
