import type { Observation, OwnedObservation } from '../../domain/machine.ts';
import type { PreparedLaunch, Refusal, Resource, Shortage } from '../../domain/request/events.ts';
import type { ResourceLook } from '../../domain/request/look.ts';
import type { HeldResource } from '../../domain/request/state.ts';
import type { TargetUnits } from '../../domain/request/units.ts';
import type { ProviderApi, Template } from '../../domain/template/template.ts';

export interface LaunchOrder {
  readonly requestId: string;
  readonly template: Template;
  /** Hosts still missing. */
  readonly count: number;
  /** The launch calls this request has made: their number names the client token, their pools had not enough. */
  readonly earlier: readonly PreparedLaunch[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** What came of a launch call. Less than asked is an outcome, not a fault. */
export interface LaunchReport {
  readonly machines: readonly Observation[];
  /** A fleet or group that gives machines later, or holds those given. */
  readonly resource?: Resource;
  readonly refusal?: Refusal;
  /** Whether another pool may have what this one lacked. */
  readonly tryNextPool: boolean;
}

/** One AWS API that can give capacity. */
export interface CapacityProvider {
  /** Renders the next call; undefined when no pool is left to try. May read facts from AWS; launches nothing. */
  prepare(order: LaunchOrder): Promise<PreparedLaunch | undefined>;
  /**
   * Sends one call. Throws `provider.throttled` or `provider.transient` when the outcome is unknown: it may be sent
   * again as it is, at any time, and will not launch twice. `isRepeat`: an earlier answer was lost, so there may be a fleet
   * that uses what was made for it.
   */
  launch(prepared: PreparedLaunch, isRepeat?: boolean): Promise<LaunchReport>;
  /** For APIs that make fleets or groups. */
  readonly keeper?: ResourceKeeper;
}

export type { ResourceLook } from '../../domain/request/look.ts';
export type { TargetUnits } from '../../domain/request/units.ts';

/** Machines a fleet or group has let go; the others are for EC2 to terminate, but for those refused, with its reason. */
export interface Terminated {
  readonly done: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, string>;
}

/** What machines were launched for: says what their tags are. */
export type Launched = Pick<LaunchOrder, 'requestId' | 'template' | 'attributes'>;

/** What a provider does about fleets and groups that live on after the launch call. */
export interface ResourceKeeper {
  look(resource: Resource): Promise<ResourceLook>;
  /** All machines it has launched and counts, by AWS's own answer. */
  members(resource: Resource): Promise<readonly string[]>;
  /** Tags machines as the request's where the launch call could not, or EC2 does not show that it did. */
  tag(resource: Resource, machineIds: readonly string[], order: Launched): Promise<void>;
  /** Why it lacks capacity, in AWS's words; undefined when AWS does not say. */
  explain(resource: HeldResource): Promise<Shortage | undefined>;
  /** Ends the search for capacity at what it holds, short or not; its instances live on. Answers with what is left of it. */
  end(resource: Resource, held: TargetUnits, isShort: boolean): Promise<'holding' | 'deleted'>;
  /** Sets what it shall hold while it looks for more, as far as AWS would replace machines otherwise. Terminates nothing. */
  aim(resource: Resource, target: TargetUnits): Promise<void>;
  /** Terminates machines whose plain termination it would make up for, or count against itself; `target` is what stays. */
  terminate(resource: Resource, machineIds: readonly string[], target: TargetUnits): Promise<Terminated>;
  /**
   * Removes it once none of its machines is wanted any more. Succeeds when it is gone already, and where it stays for a machine in it
   * that is not ours, emptied of all others: AWS does nothing for it any more.
   */
  remove(resource: Resource): Promise<void>;
  /** The fleets or groups of this kind that still do something and carry our ownership tag. */
  owned(): Promise<readonly OwnedResource[]>;
}

/** A fleet or group by its tags. */
export interface OwnedResource extends Pick<OwnedObservation, 'requestId' | 'ofOtherStore'> {
  readonly resource: Resource;
  /** Instances that would go with it. */
  readonly members?: readonly string[];
}

export type CapacityProviders = (api: ProviderApi) => Promise<CapacityProvider>;

/** A launch template of ours at AWS. */
export interface StoredLaunchTemplate {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The one it was made for alone. */
  readonly requestId?: string;
}

/** Launch templates that carry our ownership tag, and none of another work directory. */
export interface LaunchTemplateShelf {
  list(): Promise<readonly StoredLaunchTemplate[]>;
  /** No launch builds on it any more: it is made again when next wanted. */
  remove(id: string): Promise<void>;
}
