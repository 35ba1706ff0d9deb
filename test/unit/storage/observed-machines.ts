/** An event that shows so many machines: of twenty thousand it takes several items of a table. */
export const observed = (count: number) => ({
  type: 'MachinesObserved' as const,
  at: 3,
  machines: Array.from({ length: count }, (_, n) => ({
    machineId: `i-${n.toString(16).padStart(17, '0')}`,
    state: 'running' as const,
    name: `ip-10-${n >> 16}-${(n >> 8) & 255}-${n & 255}.ec2.internal`,
    privateIpAddress: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
    publicIpAddress: '',
    instanceType: 'm5.large',
    priceType: 'ondemand' as const,
    launchTime: 1_700_000_000 + ((n * 7919) % 100_000),
  })),
});
