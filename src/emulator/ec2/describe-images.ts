import type { ImageSetting } from '../settings.ts';
import { listing, parameterTable } from '../wire/parameter-table.ts';
import type { XmlFields } from '../wire/xml.ts';
import { type Action, ownerId } from './action.ts';
import type { FilterTable } from './filters.ts';
import { imagesOf } from './images.ts';
import { pageOf } from './paging.ts';

type Image = readonly [id: string, image: ImageSetting];

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
export const describeImages: Action = {
  parameters: parameterTable(`ExecutableBy.N ImageId.N Owner.N IncludeDeprecated IncludeDisabled ${listing}`),
  answer: (world, params) => {
    const named = params.list('ImageId');
    const items = imagesOf(world, named.length > 0 ? named : Object.keys(world.settings.images).sort());
    const { page, nextToken } = pageOf(world, params, { idsParameter: 'ImageId', items, filters, keyOf: ([id]) => id });
    return { imagesSet: page.map(imageXml), nextToken };
  },
};
