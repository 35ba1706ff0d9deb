import type { ImageSetting } from '../settings.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';
import { checkForm } from './ids.ts';

const anyImage: ImageSetting = { rootDeviceName: '/dev/xvda', architecture: 'x86_64', rootDeviceType: 'ebs' };

/** Images by id: the configured ones, and any other well-formed id unless it is set to be missing. */
export const imagesOf = (world: World, ids: readonly string[]): readonly (readonly [string, ImageSetting])[] => {
  checkForm('InvalidAMIID.Malformed', 'ami', ids);
  const { images, missingImages } = world.settings;
  const missing = ids.filter((id) => missingImages.includes(id));
  if (missing.length > 0) {
    const [noun, verb] = missing.length === 1 ? ['id', 'does'] : ['ids', 'do'];
    throw new ServiceError('InvalidAMIID.NotFound', `The image ${noun} '[${missing.join(', ')}]' ${verb} not exist`);
  }
  return ids.map((id) => [id, images[id] ?? anyImage]);
};

export const imageOf = (world: World, id: string): ImageSetting => imagesOf(world, [id])[0]?.[1] ?? anyImage;
