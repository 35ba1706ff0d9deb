import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Request } from '../../domain/request/state.ts';
import type { ProviderApi } from '../../domain/template/template.ts';
import { keeperOf } from '../life-cycle/keepers.ts';
import { eachStream, foldRequest, foldReturn } from '../life-cycle/streams.ts';
import type { LaunchTemplateShelf, ResourceKeeper } from '../ports/capacity.ts';
import type { HostReader } from '../ports/instances.ts';
import type { SweepMemory } from '../ports/memory.ts';
import type { AwsTime } from '../ports/policy.ts';
import type { CapacityLedger, StreamReader } from '../ports/streams.ts';
import type { Progress } from '../ports/telemetry.ts';
import type { Found } from './findings.ts';
import { type Owned, ownedInstance, ownedResource, ownedTemplate, type Requests, returnIdOf } from './orphans.ts';

/** What a look for what nobody will ask about needs: nothing of it changes anything. */
export interface SweepLookPorts {
  readonly hosts: () => Promise<Pick<HostReader, 'ours'>>;
  readonly providers: (api: ProviderApi) => Promise<{ readonly keeper?: Pick<ResourceKeeper, 'owned'> }>;
  readonly shelf: () => Promise<Pick<LaunchTemplateShelf, 'list'>>;
  readonly streams: StreamReader;
  readonly live: Pick<CapacityLedger, 'list'>;
  readonly memory: Pick<SweepMemory, 'read'>;
  readonly awsTime: AwsTime;
  readonly progress?: Progress | undefined;
}

const kindsOfResources = ['EC2Fleet', 'SpotFleet', 'ASG'] as const satisfies readonly ProviderApi[];

/**
 * Looks at all that carries our ownership tag and at the requests that may know of it. AWS is read before the records, so that a
 * launch under way is never taken for an orphan. What AWS does not answer becomes a warning; throws `provider.*` where it lists no
 * instances.
 */
export const findForgotten = async (ports: SweepLookPorts): Promise<Found> => {
  const warnings: string[] = [];
  const owned = await lookAtAws(ports, warnings);
  const now = ports.awsTime();
  const nothing = {
    ...{ owned, claims: [], requests: new Map(), openReturns: new Set<string>(), seenBefore: new Map() },
    warnings,
  };
  if (now === undefined) return { ...nothing, now, warnings: ['AWS did not tell the time: nothing is judged'] };
  const { orphans: seenBefore } = await ports.memory.read();
  const claims = await ports.live.list();
  const ids = [...owned, ...claims].map(({ requestId }) => requestId);
  const requests = await loadRequests(ports, ids, warnings);
  const openReturns = await openOf(ports, new Set(owned.flatMap((each) => returnIdOf(each, requests) ?? [])));
  return { now, owned, claims, requests, openReturns, seenBefore, warnings };
};

const lookAtAws = async (ports: SweepLookPorts, warnings: string[]): Promise<readonly Owned[]> => {
  const owned = (await (await ports.hosts()).ours()).map(ownedInstance);
  const orWarn = async (what: string, look: () => Promise<readonly Owned[]>): Promise<void> => {
    try {
      owned.push(...(await look()));
    } catch (error) {
      if (!isPluginError(error)) throw error;
      warnings.push(`${what}: ${messageOf(error)}`);
    }
  };
  for (const [index, kind] of kindsOfResources.entries()) {
    ports.progress?.('looks at AWS', index + 1, kindsOfResources.length + 1);
    await orWarn(kind, async () => (await (await keeperOf(ports, kind)).owned()).map(ownedResource));
  }
  await orWarn('launch templates', async () => (await (await ports.shelf()).list()).flatMap(ownedTemplate));
  return owned;
};

const loadRequests = async (
  { streams, progress }: SweepLookPorts,
  ids: readonly string[],
  warnings: string[],
): Promise<Requests> => {
  const requests = new Map<string, Request | undefined>();
  const wanted = new Set(ids);
  for await (const [id, stream] of eachStream(streams, wanted)) {
    progress?.('records read', requests.size, wanted.size);
    requests.set(id, isPluginError(stream) ? undefined : foldRequest(stream));
    if (isPluginError(stream)) warnings.push(stream.message);
  }
  return requests;
};

/** The returns of these that are not over, as far as can be read. */
const openOf = async ({ streams }: SweepLookPorts, returnIds: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
  const open = new Set<string>();
  for await (const [id, stream] of eachStream(streams, returnIds))
    if (isPluginError(stream) || foldReturn(stream).stage === 'open') open.add(id);
  return open;
};
