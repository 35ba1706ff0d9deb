import { createHash } from 'node:crypto';
import type { RequestLaunchTemplateData, Tag } from '@aws-sdk/client-ec2';
import { hasCode } from '../../domain/errors.ts';
import type { Remember } from './credentials.ts';
import type { Ec2 } from './ec2.ts';
import type { LaunchData } from './launch-data.ts';
import { optional } from './launch-data.ts';
import { tagKeys } from './tags.ts';

export interface LaunchTemplateRef {
  readonly id: string;
  readonly version: string;
}

export interface LaunchTemplates {
  /** The launch template with just this content: made the first time, shared by all requests and processes after. */
  ensure(data: RequestLaunchTemplateData): Promise<LaunchTemplateRef>;
  /** Is told of a template that EC2 does not know any more: it is made again when next wanted. */
  forget(id: string): Promise<void>;
  /** Pins a moving version of the administrator's own template to its number. */
  pin(id: string, version: string | undefined): Promise<LaunchTemplateRef>;
}

export interface LaunchTemplatesOptions {
  readonly ec2: Ec2;
  readonly owner: string;
  readonly version: string;
  /** Keeps the ids of templates between calls. */
  readonly remember: Remember;
  readonly forget: (value: string) => Promise<void>;
}

const namePrefix = 'hf-aws-';
/** After it the template is looked for again, so that one somebody deleted is noticed in time. */
const lifetime = 24 * 3_600_000;

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
};

const hashOf = (...parts: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify(parts.map(sorted)))
    .digest('hex')
    .slice(0, 32);

/** Launch data as a launch template holds it; tags on instances only where the launch call cannot give them. */
export const templateData = ({ network, ...data }: LaunchData, tags: readonly Tag[]): RequestLaunchTemplateData => {
  const { Placement, MetadataOptions, BlockDeviceMappings, ...rest } = data;
  const TagSpecifications = (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({
    ResourceType,
    Tags: [...tags],
  }));
  return {
    ...rest,
    ...network,
    ...optional('Placement', Placement),
    ...optional('BlockDeviceMappings', BlockDeviceMappings),
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', ...MetadataOptions },
    ...(tags.length === 0 ? {} : { TagSpecifications }),
  };
};

/** Launch templates of ours: one per distinct content, its name the hash of it. */
export const createLaunchTemplates = ({
  ec2,
  owner,
  version,
  remember,
  forget,
}: LaunchTemplatesOptions): LaunchTemplates => {
  const create = async (name: string, data: RequestLaunchTemplateData): Promise<string> => {
    const Tags = [
      { Key: tagKeys.owner, Value: owner },
      { Key: tagKeys.version, Value: version },
    ];
    try {
      return await ec2.createLaunchTemplate({
        LaunchTemplateName: name,
        LaunchTemplateData: data,
        ClientToken: name,
        TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
      });
    } catch (error) {
      // Another process was faster, or an earlier call was cut off: the name says that the content is the same.
      if (!hasCode(error, 'provider.misconfigured') || !/AlreadyExists/.test(error.aws?.code ?? '')) throw error;
      return ec2.launchTemplateId(name);
    }
  };
  return {
    forget,
    ensure: async (data) => {
      const name = `${namePrefix}${hashOf(owner, data)}`;
      return {
        id: await remember(
          `launch-template:${name}`,
          () => lifetime,
          () => create(name, data),
        ),
        version: '1',
      };
    },
    pin: async (id, wanted = '$Default') => {
      if (!wanted.startsWith('$')) return { id, version: wanted };
      return { id, version: await ec2.launchTemplateVersion(id, wanted) };
    },
  };
};
