import type { ImageSetting } from '../settings.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { ownerId } from './action.ts';
import { describe, type FilterTable } from './describe.ts';
import { checkForm, notFound } from './ids.ts';

type Image = readonly [id: string, image: ImageSetting];

const anyImage: ImageSetting = { rootDeviceName: '/dev/xvda', architecture: 'x86_64', rootDeviceType: 'ebs' };

/** Images by id: the configured ones, and any other well-formed id unless it is set to be missing. */
const imagesOf = (world: World, ids: readonly string[]): readonly Image[] => {
  checkForm('InvalidAMIID.Malformed', 'ami', ids);
  const { images, missingImages } = world.settings;
  const missing = ids.filter((id) => missingImages.includes(id));
  if (missing.length > 0) throw notFound('InvalidAMIID.NotFound', 'image id', missing, `[${missing.join(', ')}]`);
  return ids.map((id) => [id, images[id] ?? anyImage]);
};

export const imageOf = (world: World, id: string): ImageSetting => imagesOf(world, [id])[0]?.[1] ?? anyImage;

const filters: FilterTable<Image> = {
  architecture: ([, { architecture }]) => architecture,
  'image-id': ([id]) => id,
  name: ([id]) => `emulated ${id}`,
  'owner-id': () => ownerId,
  'root-device-type': ([, { rootDeviceType }]) => rootDeviceType,
  state: () => 'available',
};

const imageXml = ([imageId, image]: Image): XmlFields => ({
  imageId,
  imageLocation: `${ownerId}/${imageId}`,
  imageState: 'available',
  imageOwnerId: ownerId,
  creationDate: '2026-01-01T00:00:00.000Z',
  isPublic: false,
  architecture: image.architecture,
  imageType: 'machine',
  name: `emulated ${imageId}`,
  rootDeviceType: image.rootDeviceType,
  rootDeviceName: image.rootDeviceName,
  blockDeviceMapping:
    image.rootDeviceType === 'ebs'
      ? [
          {
            deviceName: image.rootDeviceName,
            ebs: {
              snapshotId: imageId.replace('ami', 'snap'),
              volumeSize: 8,
              volumeType: 'gp3',
              deleteOnTermination: true,
              encrypted: false,
            },
          },
        ]
      : [],
  virtualizationType: 'hvm',
  hypervisor: 'xen',
  enaSupport: true,
  platformDetails: 'Linux/UNIX',
});

/** Without ids: the configured images only, since all others exist merely by being named. */
export const describeImages = describe<Image>({
  ids: 'ImageId',
  parameters: 'ExecutableBy.N Owner.N IncludeDeprecated IncludeDisabled',
  items: (world, ids) => imagesOf(world, ids.length > 0 ? ids : Object.keys(world.settings.images).sort()),
  keyOf: ([id]) => id,
  filters,
  answer: (page) => ({ imagesSet: page.map(imageXml) }),
});
