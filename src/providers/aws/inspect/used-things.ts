import { hasCode, isPluginError, messageOf } from '../../../domain/errors.ts';
import type { Diagnosis, Trouble } from '../../../domain/finding.ts';
import type { Template } from '../../../domain/template/template.ts';
import type { Ec2 } from '../services/ec2.ts';
import { cureOfAws } from './cures.ts';

const distinct = (values: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

/** Those of these ids that are there. EC2 refuses the whole call for one that is not, and names it. */
const present = async <T>(
  ids: readonly string[],
  read: (ids: string[]) => Promise<readonly T[] | undefined>,
): Promise<readonly T[]> => {
  if (ids.length === 0) return [];
  try {
    return (await read([...ids])) ?? [];
  } catch (fault) {
    const rest = ids.filter((id) => !messageOf(fault).includes(id));
    if (!hasCode(fault, 'provider.misconfigured', 'provider.missing') || rest.length === ids.length) throw fault;
    return present(rest, read);
  }
};

const namesOf = (templates: readonly Template[]): string => templates.map(({ templateId }) => templateId).join(', ');

/** Templates whose hosts are launched as they say: a group of the administrator's says itself how. */
const launching = (templates: readonly Template[]): readonly Template[] =>
  templates.filter(({ autoScalingGroupName }) => autoScalingGroupName === undefined);

const noImage = (users: readonly Template[], what: string, cure: string): Trouble => ({
  subject: 'images',
  status: 'error',
  code: 'image.missing',
  what: `${what}, which template ${namesOf(users)} launches`,
  why: 'every launch of it is refused',
  cure,
});

/** Whether the images that templates name are there: one call for all, and one for each parameter that stands for an image. */
export const checkImages = async (
  ec2: Pick<Ec2, 'read'>,
  all: readonly Template[],
  imageOf: (alias: string) => Promise<string>,
): Promise<readonly Diagnosis[]> => {
  const templates = launching(all);
  const named = distinct(templates.map(({ imageId }) => imageId));
  const users = (imageId: string): readonly Template[] => templates.filter((each) => each.imageId === imageId);
  const found: Diagnosis[] = [];
  for (const alias of named.filter((each) => !each.startsWith('ami-'))) {
    try {
      await imageOf(alias);
    } catch (fault) {
      if (!isPluginError(fault)) throw fault;
      found.push(noImage(users(alias), `${alias} names no image (${messageOf(fault)})`, cureOfAws(fault)));
    }
  }
  const ids = named.filter((each) => each.startsWith('ami-'));
  const images = await present(ids, async (ImageIds) => (await ec2.read('DescribeImages', { ImageIds })).Images);
  for (const id of ids) {
    const state = images.find(({ ImageId }) => ImageId === id)?.State;
    const cure = `put an image that this account may launch into imageId of ${namesOf(users(id))}, then hf-aws templates validate --aws`;
    if (state === undefined) found.push(noImage(users(id), `${id} does not exist in this Region`, cure));
    else if (state !== 'available') found.push(noImage(users(id), `${id} is ${state}`, cure));
  }
  if (found.length > 0 || named.length === 0) return found;
  return [{ subject: 'images', status: 'ok', what: `${named.length} named, all there` }];
};

/** Whether the subnets that templates name are there and have addresses left. */
export const checkSubnets = async (ec2: Pick<Ec2, 'read'>, all: readonly Template[]): Promise<readonly Diagnosis[]> => {
  const templates = launching(all);
  const ids = distinct(templates.flatMap(({ subnetIds }) => subnetIds));
  if (ids.length === 0) return [];
  const subject = 'subnets';
  const subnets = await present(ids, async (SubnetIds) => (await ec2.read('DescribeSubnets', { SubnetIds })).Subnets);
  const found = ids.flatMap((id): readonly Trouble[] => {
    const users = namesOf(templates.filter(({ subnetIds }) => subnetIds.includes(id)));
    const subnet = subnets.find(({ SubnetId }) => SubnetId === id);
    if (subnet === undefined)
      return [
        {
          subject,
          status: 'error',
          code: 'subnet.missing',
          what: `${id} does not exist in this Region; template ${users} names it`,
          why: 'no launch in it succeeds',
          cure: `take ${id} out of subnetId of ${users}, then hf-aws templates validate --aws`,
        },
      ];
    if (subnet.AvailableIpAddressCount !== 0 || subnet.Ipv6Native === true) return [];
    return [
      {
        subject,
        status: 'warning',
        code: 'subnet.full',
        what: `${id} has no free address; template ${users} names it`,
        why: 'a launch in it is refused with InsufficientFreeAddressesInSubnet',
        cure: `add another subnet to subnetId of ${users}, or free addresses in ${id}`,
      },
    ];
  });
  const free = subnets.reduce((sum, { AvailableIpAddressCount = 0 }) => sum + AvailableIpAddressCount, 0);
  return found.length > 0
    ? found
    : [{ subject, status: 'ok', what: `${ids.length} named, with ${free} free addresses` }];
};
