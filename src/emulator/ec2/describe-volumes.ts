import { listing, parameterTable } from '../wire/parameter-table.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { VolumeSpec, World } from '../world.ts';
import { type Action, isoTime } from './action.ts';
import type { FilterTable } from './filters.ts';
import { checkForm } from './ids.ts';
import { allViews, type InstanceView, tagsOf, volumeIds } from './instance-view.ts';
import { pageOf } from './paging.ts';
import { tagSet } from './tags.ts';

interface Volume {
  readonly id: string;
  readonly spec: VolumeSpec;
  readonly view: InstanceView;
}

const filters: FilterTable<Volume> = {
  'attachment.device': ({ spec }) => spec.device,
  'attachment.instance-id': ({ view }) => view.instance.id,
  'availability-zone': ({ view }) => view.reservation.spec.zone,
  status: () => 'in-use',
  'volume-id': ({ id }) => id,
  'volume-type': ({ spec }) => spec.type,
};

const tags = (world: World, { id, view }: Volume) => tagsOf(world, id, view.reservation, 'volume');

const allVolumes = (world: World): readonly Volume[] =>
  allViews(world)
    .filter(({ state }) => state !== 'terminated')
    .flatMap((view) => {
      const ids = volumeIds(world, view);
      return view.reservation.spec.volumes.map((spec, part) => ({ id: ids[part] ?? '', spec, view }));
    });

const volumesById = (world: World, ids: readonly string[]): readonly Volume[] => {
  checkForm('InvalidVolumeID.Malformed', 'vol', ids);
  const volumes = new Map(allVolumes(world).map((volume) => [volume.id, volume]));
  return ids.map((id) => {
    const volume = volumes.get(id);
    if (volume === undefined) throw new ServiceError('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
    return volume;
  });
};

const volumeXml = (world: World, volume: Volume): XmlFields => {
  const { id, spec, view } = volume;
  const since = isoTime(view.instance.launchedAt);
  return {
    volumeId: id,
    size: spec.sizeGiB,
    volumeType: spec.type,
    encrypted: spec.encrypted,
    availabilityZone: view.reservation.spec.zone,
    status: 'in-use',
    createTime: since,
    attachmentSet: [
      {
        volumeId: id,
        instanceId: view.instance.id,
        device: spec.device,
        status: 'attached',
        attachTime: since,
        deleteOnTermination: spec.deleteOnTermination,
      },
    ],
    tagSet: tagSet(tags(world, volume)),
  };
};

export const describeVolumes: Action = {
  parameters: parameterTable(`VolumeId.N IncludeManagedResources ${listing}`),
  answer: (world, params) => {
    const ids = params.list('VolumeId');
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'VolumeId',
      items: ids.length > 0 ? volumesById(world, ids) : allVolumes(world),
      filters,
      tags: (volume) => tags(world, volume),
      keyOf: ({ id }) => id,
    });
    return { volumeSet: page.map((volume) => volumeXml(world, volume)), nextToken };
  },
};
