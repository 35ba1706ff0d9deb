import type { OwnedObservation } from '../../domain/machine.ts';

/** Instances as EC2 shows them. All reads throw `provider.*`; a fault is never an empty answer. */
export interface HostReader {
  /** Looks at instances by id; ids EC2 does not know are simply absent. */
  describe(machineIds: readonly string[]): Promise<readonly OwnedObservation[]>;
  /** Looks at instances by private DNS name. */
  describeByName(names: readonly string[]): Promise<readonly OwnedObservation[]>;
  /** Looks for what the given requests launched and is ours, by tag. */
  describeByRequest(requestIds: readonly string[]): Promise<readonly OwnedObservation[]>;
  /** All instances that are there and carry our ownership tag. */
  ours(): Promise<readonly OwnedObservation[]>;
  /** When AWS will take spot instances away, ms since the epoch, by id: interruption notices of the whole Region. */
  spotNotices(): Promise<ReadonlyMap<string, number>>;
  /** The same for scheduled retirements and stops; known some minutes late, since they come days ahead. */
  retirements(): Promise<ReadonlyMap<string, number>>;
}

/** The same, and what changes them. */
export interface Hosts extends HostReader {
  /** Asks EC2 to terminate; one bad id does not spare the others. Answers with EC2's reason per id refused. */
  terminate(machines: readonly Pick<OwnedObservation, 'machineId' | 'zone'>[]): Promise<ReadonlyMap<string, string>>;
  /** Tags instances and their volumes with their own instance id (AWS_TAG_InstanceID). */
  tagWithOwnId(machineIds: readonly string[]): Promise<void>;
}
