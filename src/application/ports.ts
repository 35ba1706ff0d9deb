import type { Complaint, Finding } from '../domain/finding.ts';
import type { InstanceTypeTable } from '../domain/instance-type.ts';
import type { Sighting } from '../domain/machine.ts';
import type { Offering, RefusedOffering } from '../domain/offering.ts';
import type { HeldResource, PreparedLaunch, Refusal, RequestEvent, Resource, Shortage } from '../domain/request.ts';
import type { OwnedSighting, ReturnEvent } from '../domain/return-request.ts';
import type { ProviderApi, Template, TemplateProblem } from '../domain/template.ts';
import type { TemplateKind } from '../domain/template-kinds.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** One line per event: a code first, then prose, then fields. Never stdout: that belongs to Host Factory. */
export interface Logger {
  debug(code: string, text: string, fields?: LogFields): void;
  info(code: string, text: string, fields?: LogFields): void;
  warn(code: string, text: string, fields?: LogFields): void;
  error(code: string, text: string, fields?: LogFields): void;
}

/** Is told how far long work has come. What there is to do may grow while it is found. */
export type Progress = (what: string, done: number, total: number) => void;

/** Milliseconds since the epoch. */
export type Clock = () => number;

/**
 * The time by AWS's clock, ms since the epoch; undefined until AWS has answered. Hosts that share a store have clocks that differ
 * and that may be set: whether a machine is gone or overdue is decided by this one alone.
 */
export type AwsTime = () => number | undefined;

/** What a caller may do: read, also ask for machines and give them back, everything. Host Factory and the shell's user are `admin`. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who asks, carried by every command and query and written on every event. */
export interface Origin {
  readonly correlationId: string;
  readonly userId?: string;
  readonly role?: Role;
  readonly commandId?: string;
}

export type StreamEvent = RequestEvent | ReturnEvent;

/** An event as it is on record. */
export type RecordedEvent<E extends StreamEvent = StreamEvent> = E &
  Partial<Origin> & { readonly schemaVersion?: number };

export interface Stream<E extends StreamEvent = StreamEvent> {
  /** The number of events; 0 where there is no such stream. */
  readonly version: number;
  readonly events: readonly RecordedEvent<E>[];
}

/** Two appends within one tick of a file system's clock leave the same time, ms. Whole seconds tell of a coarse clock. */
export const grainOf = (time: number): number => (time % 1000 === 0 ? 2000 : 50);

/** All that queries get of the store: they cannot write. */
export interface StreamReader {
  /** Throws `storage.unreadable` naming the file; an absent stream is empty, a damaged one never. */
  load(id: string): Promise<Stream>;
  /** Ids of all streams that are not archived, in no particular order. */
  ids(): Promise<readonly string[]>;
  /** The same text as long as nothing is appended or archived; undefined at a moment when that cannot be told. */
  pulse(): Promise<string | undefined>;
  /** All streams that are not archived, each with a mark (ms since the epoch) that changes with every append. */
  marks(): Promise<ReadonlyMap<string, number>>;
  /** Ids of the streams set aside. */
  archived(): Promise<readonly string[]>;
}

export interface RequestStreams extends StreamReader {
  /**
   * On disk before it resolves with the new version. Throws `storage.conflict` if somebody has written since `version`,
   * `storage.unwritable` if the disk refuses.
   */
  append(id: string, version: number, events: readonly StreamEvent[], origin: Origin): Promise<number>;
  /** Sets a finished stream aside. It can still be loaded; it is not listed any more. */
  archive(id: string): Promise<void>;
  /** Compresses what was set aside, and forgets what was compressed before `dropBefore`. */
  packArchive(dropBefore: number): Promise<void>;
}

/** Which requests hold machines of which template: enforces `maxNumber` across processes without reading any stream. */
export interface LiveRequests {
  /** Claims `units` of the template for a request, unless that would exceed `limit` (no limit when undefined). */
  reserve(claim: LiveClaim, limit: number | undefined): Promise<{ readonly granted: boolean; readonly live: number }>;
  /** States what a request holds now; 0 takes it off the books. */
  settle(claim: LiveClaim): Promise<void>;
  /** Requests on the books, of one template or all. `since` is when the claim was made, ms. */
  list(templateId?: string): Promise<readonly (LiveClaim & { readonly since: number })[]>;
}

export interface LiveClaim {
  readonly templateId: string;
  readonly requestId: string;
  readonly units: number;
}

export interface RejectedTemplate {
  /** As written, or `templates[3]` where there is none. */
  readonly templateId: string;
  readonly problems: readonly TemplateProblem[];
}

interface TemplateReading {
  readonly file: string;
  readonly templates: readonly Template[];
  readonly rejected: readonly RejectedTemplate[];
}

export interface TemplateCatalog {
  /**
   * All templates, or `only` the one of this id. Throws `configuration.missing` or `configuration.invalid` (with line and
   * column) when there is no list to serve.
   */
  read(only?: string): Promise<TemplateReading>;
}

/** A template of a file that is being checked. */
export interface CheckedTemplate {
  readonly templateId: string;
  readonly complaints: readonly Complaint[];
  /** Where nothing keeps it from being served. */
  readonly template?: Template;
  /** Where a field stands in the file, or the object that lacks it. */
  place(field: string): Pick<Finding, 'line' | 'column'>;
}

export interface CheckedFile {
  /** What is wrong with the file as a whole. */
  readonly findings: readonly Finding[];
  readonly entries: readonly CheckedTemplate[];
}

/** Looks at templates as people edit them. */
export interface TemplateChecker {
  /** Of the configured file, unless one is named. Throws `configuration.missing` when there is none. */
  check(file?: string): Promise<CheckedFile & { readonly file: string }>;
}

/** What only AWS knows of a template. Throws `provider.*` when AWS cannot be asked at all. */
export interface TemplateInspector {
  inspect(template: Template): Promise<readonly Complaint[]>;
  /** The same of the Auto Scaling group of the administrator's alone that it names; nothing of other templates. */
  inspectGroup(template: Template): Promise<readonly Complaint[]>;
}

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
  readonly machines: readonly Sighting[];
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

/** A look at a fleet or group. */
export interface ResourceLook {
  /** `ended`: cancelled, expired or deleted. `missing`: AWS does not know it, which soon after its launch says nothing. */
  readonly state: 'active' | 'ended' | 'missing';
  /** Units it is set to hold, where it replaces what it loses. */
  readonly target?: number;
  /** Machines that cannot be found by the request's tag yet. */
  readonly machineIds: readonly string[];
  /** All machines it has launched and counts, where the look shows them; else `fulfilled`, in units, says how many there are. */
  readonly members?: readonly string[];
  readonly fulfilled?: number;
}

/** What a fleet or group shall hold, in units: all, and how many of them on demand. */
export interface TargetUnits {
  readonly total: number;
  readonly onDemand: number;
}

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
  /** Marks machines as the request's where the launch call could not, or EC2 does not show that it did. */
  mark(resource: Resource, machineIds: readonly string[], order: Launched): Promise<void>;
  /** Why it lacks capacity, in AWS's words; undefined when AWS does not say. */
  explain(resource: HeldResource): Promise<Shortage | undefined>;
  /** Ends the search for capacity at what it holds, short or not; its instances live on. Answers with what is left of it. */
  end(resource: Resource, held: TargetUnits, isShort: boolean): Promise<'holding' | 'deleted'>;
  /** Sets what it shall hold while it looks for more, as far as AWS would replace machines otherwise. Terminates nothing. */
  aim(resource: Resource, target: TargetUnits): Promise<void>;
  /** Terminates machines whose plain termination it would make up for, or count against itself; `target` is what stays. */
  terminate(resource: Resource, machineIds: readonly string[], target: TargetUnits): Promise<Terminated>;
  /**
   * Removes it once no machine of it is wanted any more. Succeeds when it is gone already, and where it stays for a machine in it
   * that is not ours, emptied of all others: AWS does nothing for it any more.
   */
  remove(resource: Resource): Promise<void>;
  /** The fleets or groups of this kind that still do something and carry our mark. */
  owned(): Promise<readonly OwnedResource[]>;
}

/** A fleet or group by its tags. */
export interface OwnedResource extends Pick<OwnedSighting, 'owner' | 'ofOtherStore'> {
  readonly resource: Resource;
  /** Instances that would go with it. */
  readonly members?: readonly string[];
}

export type CapacityProviders = (api: ProviderApi) => Promise<CapacityProvider>;

/** Instances as EC2 shows them. All reads throw `provider.*`; a fault is never an empty answer. */
export interface Hosts {
  /** Looks at instances by id; ids EC2 does not know are simply absent. */
  describe(machineIds: readonly string[]): Promise<readonly OwnedSighting[]>;
  /** Looks at instances by private DNS name. */
  describeByName(names: readonly string[]): Promise<readonly OwnedSighting[]>;
  /** Looks for what the given requests launched and is ours, by tag. */
  describeByRequest(requestIds: readonly string[]): Promise<readonly OwnedSighting[]>;
  /** All instances that stand and carry our mark. */
  ours(): Promise<readonly OwnedSighting[]>;
  /** When AWS will take spot instances away, ms since the epoch, by id: interruption notices of the whole Region. */
  spotNotices(): Promise<ReadonlyMap<string, number>>;
  /** The same for scheduled retirements and stops; known some minutes late, since they come days ahead. */
  retirements(): Promise<ReadonlyMap<string, number>>;
  /** Asks EC2 to terminate; one bad id does not spare the others. Answers with EC2's reason per id refused. */
  terminate(machines: readonly Pick<OwnedSighting, 'machineId' | 'zone'>[]): Promise<ReadonlyMap<string, string>>;
  /** Tags instances and their volumes with their own instance id (AWS_TAG_InstanceID). */
  tagWithOwnId(machineIds: readonly string[]): Promise<void>;
}

/** Hosts on no record of ours that EC2 does not show, remembered between calls. */
export interface UnseenHosts {
  /** Notes what a look at `now` did not show and forgets what it did. Answers since when earlier looks have not shown each, ms. */
  note(look: {
    readonly now: number;
    readonly unseen: readonly string[];
    readonly shown: readonly string[];
  }): Promise<ReadonlyMap<string, number>>;
}

/** Machines that never became usable, by template, since one of it last did. */
export interface LaunchFailures {
  /** `age`: milliseconds since the last one was noted. */
  of(templateId: string): Promise<{ readonly machineIds: readonly string[]; readonly age: number }>;
  note(templateId: string, machineIds: readonly string[]): Promise<void>;
  clear(templateId: string): Promise<void>;
  /** Templates with failures. */
  templateIds(): Promise<readonly string[]>;
}

/** Offerings EC2 refused lately, remembered across processes. */
export interface OfferingMemory {
  /** Those not expired yet. */
  refused(): Promise<readonly Offering[]>;
  /** The same for people. */
  list(): Promise<readonly RefusedOffering[]>;
  remember(refused: readonly RefusedOffering[]): Promise<void>;
  /** Answers with how many were forgotten. */
  forget(isMeant: (offering: Offering) => boolean): Promise<number>;
}

/** A launch template of ours at AWS. */
export interface StoredLaunchTemplate {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The one it was made for alone. */
  readonly requestId?: string;
}

/** Launch templates that carry our ownership mark, and none of another work directory. */
export interface LaunchTemplateShelf {
  list(): Promise<readonly StoredLaunchTemplate[]>;
  /** No launch builds on it any more: it is made again when next wanted. */
  remove(id: string): Promise<void>;
}

/** Facts about instance types that need no call to EC2. */
export interface InstanceTypes {
  table(): Promise<InstanceTypeTable>;
  replace(table: InstanceTypeTable): Promise<void>;
}

/** The parts of the provider configuration the use cases decide by. */
export interface Policy {
  /** Milliseconds for which EC2 may not know an id it gave out itself. */
  readonly consistencyWindow: number;
  /** Milliseconds after which a host that is not usable is given up. */
  readonly pendingTimeout: number;
  /** Milliseconds after which a launch whose outcome is unknown is no longer tried. */
  readonly launchDeadline: number;
  readonly tagInstanceId: boolean;
  /** Milliseconds for which finished requests stay in listings. */
  readonly retention: number;
  /** Machines in a row that never became usable before their template is taken out of use; 0 never. */
  readonly protectAfter: number;
  /** Milliseconds after which such a template may try again. */
  readonly protectFor: number;
  /** Milliseconds after which a request nobody asked about is abandoned; 0 never. */
  readonly unclaimed: number;
  /** Milliseconds between the first sight of what belongs to no request and its release. */
  readonly orphanAge: number;
}

/** What sweeps remember from one to the next. */
interface SweepNotes {
  /** When each id that belongs to no request was first seen, ms. */
  readonly orphans: ReadonlyMap<string, number>;
}

export interface SweepMemory {
  /** What cannot be read is empty: everything is then seen for the first time. */
  read(): Promise<SweepNotes>;
  write(notes: SweepNotes): Promise<void>;
}

/** What was going on at a place worth watching. Wraps the work: its answer and its error pass through. */
export type Observe = <A>(span: Span, work: () => Promise<A>) => Promise<A>;

export interface Span {
  /** `door`: a script, command line or HTTP call; `operation`: a command or query. */
  readonly kind: 'door' | 'operation' | 'handler' | 'store' | 'aws';
  readonly name: string;
  readonly attributes?: LogFields;
}

/** Figures by name and labels, in the form of Prometheus: `aws_calls{action="RunInstances"}`. All only ever grow. */
export type Figures = Readonly<Record<string, number>>;

/** A version of a stream that the caller knows of and wants to see. */
export interface Expectation {
  readonly requestId: string;
  readonly version: number;
  /** Milliseconds; 5000 where not told. */
  readonly wait?: number | undefined;
}

/** How often, and by default for how long, what a caller expects is waited for, ms. */
export const [pollMs, waitMs] = [100, 5000] as const;

/** What an answer carries when what its caller expects has not shown up in time. */
export const staleWarning = 'Data may be stale';

export type ProjectionName = 'requests' | 'machines' | 'counters';

/** An event, or a whole stream, that a projection could not take in. */
export interface ProjectionFailure {
  readonly requestId: string;
  /** The event's place in the stream; absent where the stream cannot be read at all. */
  readonly version?: number;
  readonly type?: string;
  readonly message: string;
  readonly tries: number;
}

export interface ProjectionStatus {
  readonly name: ProjectionName;
  readonly streams: number;
  readonly events: number;
  /** Streams with events that are not applied yet. */
  readonly behind: number;
  readonly failures: readonly ProjectionFailure[];
}

/** What a projection holds, up to date with the streams. */
export interface Projected {
  /** One JSON text per row, newest request first. */
  readonly rows: readonly string[];
  /** Records that could not be read or applied, and why. */
  readonly warnings: readonly string[];
  /** Set when what the caller expected did not show up in time. */
  readonly stale?: string;
}

/** Lists and figures folded from the streams. Can be thrown away at any time. */
export interface ReadModel {
  read(name: ProjectionName, expected?: Expectation | undefined): Promise<Projected>;
  status(): Promise<readonly ProjectionStatus[]>;
  /** Versions applied, by projection. */
  versionsOf(requestId: string): Promise<Readonly<Record<ProjectionName, number>>>;
  /** Builds it anew beside the old one, then swaps. */
  rebuild(name: ProjectionName): Promise<ProjectionStatus>;
}

/** What a projection has made of one stream. */
export interface ProjectedStream {
  /** The stream's mark when it was read; 0: to be read again. */
  readonly mark: number;
  readonly version: number;
  /** Milliseconds since the epoch of its first event. */
  readonly since: number;
  readonly rows: readonly string[];
}

export interface StoredProjection {
  /** The store's pulse when nothing was left to apply. */
  readonly pulse?: string | undefined;
  readonly streams: ReadonlyMap<string, ProjectedStream>;
  /** Of all streams, newest request first. */
  readonly rows: readonly string[];
  readonly failures: readonly ProjectionFailure[];
}

/** Keeps projections between calls. What cannot be read is absent: it is built again. */
export interface ProjectionStore {
  load(name: ProjectionName): Promise<StoredProjection | undefined>;
  save(name: ProjectionName, projection: StoredProjection): Promise<void>;
}

/** What a server is told. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** A path: a unix socket instead of a port. */
  readonly socket?: string | undefined;
  readonly readOnly: boolean;
  /** File of bearer tokens. */
  readonly tokens?: string | undefined;
  /** Calls a client may make per minute. */
  readonly rate: number;
  readonly traceFile?: string | undefined;
  /** A registered provider, instead of the one that the environment tells. */
  readonly provider?: string | undefined;
}

/** A provider instance to be set up: its two files, and on request its registration. */
export interface SetUpOrder {
  readonly instance: string;
  /** Becomes HF_PROVIDER_CONFDIR. */
  readonly directory: string;
  /** A first template of each. */
  readonly kinds: readonly TemplateKind[];
  readonly region: string;
  /** Absent: the role of the host. */
  readonly credentialsFile?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly image: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Instead of those of the worked templates. */
  readonly vmTypes: readonly string[];
  readonly keyName?: string | undefined;
  readonly fleetRole?: string | undefined;
  readonly groupName?: string | undefined;
  /** Default: the name it is registered by, else that of its folder. */
  readonly plugin?: string | undefined;
  /** Merge the registration into Host Factory's files. */
  readonly register: boolean;
  /** Replace files that are there; a copy stays beside. */
  readonly force: boolean;
}

export interface Registration {
  readonly file: string;
  readonly list: 'providerplugins' | 'providers';
  readonly entry: Readonly<Record<string, unknown>>;
  readonly state: 'to be added by you' | 'added' | 'taken over' | 'was there';
  /** The plug-in that a provider ran before it was taken over. */
  readonly before?: string;
}

export interface SetUpAnswer {
  readonly written: readonly string[];
  /** Copies of what was replaced. */
  readonly backups: readonly string[];
  readonly registrations: readonly Registration[];
}

/** How one field of another installation's files is taken here. */
export interface ForeignField {
  readonly file: string;
  /** Absent for the provider configuration. */
  readonly templateId?: string;
  readonly field: string;
  readonly use: 'used' | 'ignored' | 'unknown';
  /** As what it is used, or why it is not. */
  readonly why: string;
}

export interface ForeignReport {
  readonly instance: string;
  readonly fields: readonly ForeignField[];
  readonly templatesFile?: string;
  /** What cannot be read or used as a whole. */
  readonly faults: readonly string[];
}
