import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Complaint } from '../../../domain/finding.ts';

const field = 'autoScalingGroupName';
const warning = (rule: string): Complaint => ({ severity: 'warning', field, rule });

/** What in a group of the administrator's would cost or end hosts behind Host Factory's back. (aws-provisioning-facts 9) */
export const groupComplaints = (
  group: AutoScalingGroup | undefined,
  name: string,
  maxNumber: number,
): readonly Complaint[] => {
  if (group === undefined)
    return [{ severity: 'error', field, rule: `there is no Auto Scaling group ${name} in this Region` }];
  const {
    SuspendedProcesses = [],
    NewInstancesProtectedFromScaleIn = false,
    CapacityRebalance,
    MaxSize = 0,
    MinSize = 0,
  } = group;
  const isSuspended = (name: string): boolean => SuspendedProcesses.some(({ ProcessName }) => ProcessName === name);
  const complaints: Complaint[] = [];
  if (!isSuspended('ReplaceUnhealthy'))
    complaints.push(warning(`${name} replaces dead hosts by machines that nobody returns: suspend ReplaceUnhealthy`));
  if (!(isSuspended('AZRebalance') || NewInstancesProtectedFromScaleIn))
    complaints.push(warning(`${name} may end hosts to even out its zones: suspend AZRebalance`));
  if (!NewInstancesProtectedFromScaleIn)
    complaints.push(warning(`${name} may end hosts when it is made smaller: protect new instances from scale-in`));
  if (CapacityRebalance === true)
    complaints.push(warning(`${name} replaces spot hosts that AWS may interrupt: switch CapacityRebalance off`));
  if (MaxSize < maxNumber) complaints.push(warning(`${name} has MaxSize ${MaxSize} for maxNumber ${maxNumber}`));
  if (MinSize > 0) complaints.push(warning(`${name} has MinSize ${MinSize}: no host can be given back below that`));
  return complaints;
};
