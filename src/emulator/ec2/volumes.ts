import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, VolumeSpec, World } from '../world.ts';
import { isoTime } from './action.ts';
import { describe, type FilterTable } from './describe.ts';
import { checkForm } from './ids.ts';
import { allViews, type InstanceView, tagsOf, volumeIds } from './instance-view.ts';
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

const tags = ({ id, view }: Volume, world: World): Tags => tagsOf(world, id, view.reservation, 'volume');

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
    tagSet: tagSet(tags(volume, world)),
  };
};

export const describeVolumes = describe<Volume>({
  ids: 'VolumeId',
  parameters: 'IncludeManagedResources',
  items: (world, ids) => (ids.length > 0 ? volumesById(world, ids) : allVolumes(world)),
  keyOf: ({ id }) => id,
  filters,
  tags,
  answer: (page, world) => ({ volumeSet: page.map((volume) => volumeXml(world, volume)) }),
});
