import { createHash } from 'node:crypto';
import type { RequestLaunchTemplateData, ResponseLaunchTemplateData, Tag } from '@aws-sdk/client-ec2';
import type { LaunchReport } from '../../../application/ports/capacity.ts';
import { hasCode } from '../../../domain/errors.ts';
import { onDemandUnits, type Template, weightedTypes } from '../../../domain/template/template.ts';
import { type Ownership, tagKeys } from '../instances/tags.ts';
import type { Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import type { Remember } from '../wire/credentials.ts';
import {
  checkTagCount,
  type LaunchData,
  type LaunchDataOptions,
  makesInterfaces,
  optional,
  renderLaunchData,
} from './launch-data.ts';
import { over } from './launch-data-over.ts';

export interface LaunchTemplateRef {
  readonly id: string;
  readonly version: string;
}

/** A launch template of the administrator's: its version a number, or one that moves. */
interface BaseTemplate {
  readonly id: string;
  readonly version?: string;
  /** Whether the fleet or group names the instance types itself. */
  readonly ownTypes: boolean;
  /** Whether all that is launched is spot. */
  readonly onlySpot: boolean;
}

/** What a version of an administrator's launch template says. */
type Review = (theirs: ResponseLaunchTemplateData) => void;

export interface LaunchTemplates {
  /**
   * The launch template with just this content, over that of the administrator's own where there is one: made the first time,
   * shared by all requests and processes after. `review` may refuse the administrator's by throwing, before it is made.
   */
  ensure(data: RequestLaunchTemplateData, base?: BaseTemplate, review?: Review): Promise<LaunchTemplateRef>;
  /** Hears of a template that EC2 does not know, any more or yet: after a moment it is made again when next wanted. */
  forget(id: string): Promise<void>;
  /** Pins a moving version of the administrator's own template to its number, and tells what that version says. */
  pin(
    base: Pick<BaseTemplate, 'id' | 'version'>,
  ): Promise<LaunchTemplateRef & { readonly data: ResponseLaunchTemplateData }>;
}

export interface LaunchTemplatesOptions extends Ownership {
  readonly ec2: Ec2;
  readonly version: string;
  /** Keeps the ids of templates between calls. */
  readonly remember: Remember;
  readonly forget: (value: string) => Promise<void>;
  /** Waits, at most until the time of the call is over. */
  readonly pause: (ms: number) => Promise<void>;
}

/** Times one call waits for EC2 to know what was just made, a little longer each time. */
const mostPauses = 3;
const pauseMs = 500;

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

/** What a launch template tags, where the launch call cannot do it. */
export interface TemplateTags {
  readonly tags: readonly Tag[];
  /** Left out: all that it launches. */
  readonly resources?: readonly ('instance' | 'volume' | 'network-interface')[];
  /** All tags of the launch, wherever they are given. */
  readonly launched: readonly Tag[];
}

/** Launch data as a launch template holds it. */
const templateData = (
  { network, ...data }: LaunchData,
  { tags, resources = ['instance', 'volume', 'network-interface'] }: TemplateTags,
): RequestLaunchTemplateData => {
  const { Placement, MetadataOptions, BlockDeviceMappings, ...rest } = data;
  const TagSpecifications = resources
    .filter((each) => each !== 'network-interface' || makesInterfaces(network.NetworkInterfaces))
    .map((ResourceType) => ({ ResourceType, Tags: [...tags] }));
  return {
    ...rest,
    ...network,
    ...optional('Placement', Placement),
    ...optional('BlockDeviceMappings', BlockDeviceMappings),
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', ...MetadataOptions },
    ...(TagSpecifications.length === 0 ? {} : { TagSpecifications }),
  };
};

/** Which request a launch template was made for alone, as the tags say that it gives to instances. */
const requestTagIn = ({ TagSpecifications = [] }: RequestLaunchTemplateData): readonly Tag[] =>
  TagSpecifications.flatMap(({ Tags = [] }) => Tags.filter(({ Key }) => Key === tagKeys.request)).slice(0, 1);

/** Launch templates of ours: one per distinct content, its name the hash of it. */
export const createLaunchTemplates = ({
  ec2,
  owner,
  store,
  version,
  remember,
  forget,
  pause,
}: LaunchTemplatesOptions): LaunchTemplates => {
  let pauses = 0;
  /** Answers whether it waited. */
  const backOff = async (): Promise<boolean> => {
    if (pauses >= mostPauses) return false;
    pauses += 1;
    await pause(pauseMs * 2 ** pauses);
    return true;
  };
  /** A template that exists may be unknown to EC2's reads for a moment. */
  const find = async (name: string): Promise<string> => {
    try {
      const { LaunchTemplates = [] } = await ec2.read('DescribeLaunchTemplates', { LaunchTemplateNames: [name] });
      return required('DescribeLaunchTemplates', 'id', LaunchTemplates[0]?.LaunchTemplateId);
    } catch (error) {
      if (!hasCode(error, 'provider.missing') || !(await backOff())) throw error;
      return find(name);
    }
  };
  // The name makes it idempotent. A client token might answer with the template of this name that somebody deleted.
  const create = async (name: string, data: RequestLaunchTemplateData): Promise<string> => {
    const Tags = [
      { Key: tagKeys.owner, Value: owner },
      { Key: tagKeys.store, Value: store },
      { Key: tagKeys.version, Value: version },
      ...requestTagIn(data),
    ];
    try {
      const { LaunchTemplate } = await ec2.change('CreateLaunchTemplate', {
        LaunchTemplateName: name,
        LaunchTemplateData: data,
        TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
      });
      return required('CreateLaunchTemplate', 'id', LaunchTemplate?.LaunchTemplateId);
    } catch (error) {
      // Another process was faster, or an earlier call was cut off: the name says that the content is the same.
      if (!hasCode(error, 'provider.misconfigured') || !/AlreadyExists/.test(error.aws?.code ?? '')) throw error;
      return find(name);
    }
  };
  const pin: LaunchTemplates['pin'] = async ({ id, version = '$Default' }) => {
    const action = 'DescribeLaunchTemplateVersions';
    const { LaunchTemplateVersions = [] } = await ec2.read(action, { LaunchTemplateId: id, Versions: [version] });
    const { VersionNumber, LaunchTemplateData = {} } = required(action, 'version', LaunchTemplateVersions[0]);
    return { id, version: String(VersionNumber ?? version), data: LaunchTemplateData };
  };
  const numberOf = async ({ id, version = '$Default' }: BaseTemplate): Promise<string> =>
    version.startsWith('$') ? (await pin({ id, version })).version : version;
  return {
    forget: async (id) => {
      await forget(id);
      await backOff();
    },
    pin,
    ensure: async (data, base, review) => {
      const from = base && { ...base, version: await numberOf(base) };
      const name = `${namePrefix}${hashOf(owner, store, data, from)}`;
      const content = async () => {
        if (from === undefined) return data;
        const { data: theirs } = await pin(from);
        review?.(theirs);
        return over(theirs, data, from);
      };
      const make = async () => create(name, await content());
      return { id: await remember(`launch-template:${name}`, () => lifetime, make), version: '1' };
    },
  };
};

/** EC2 tells it by its code, Auto Scaling in words. */
const missingTemplate = /^InvalidLaunchTemplate|launch template[^.]* does not exist/i;

/** A launch template that somebody deleted is forgotten: another try of the launch makes it again. */
export const renewed = async (
  launchTemplates: Pick<LaunchTemplates, 'forget'>,
  id: string,
  report: LaunchReport,
): Promise<LaunchReport> => {
  const { code = '', message = '' } = report.refusal ?? {};
  if (!missingTemplate.test(`${code}: ${message}`)) return report;
  await launchTemplates.forget(id);
  return { ...report, tryNextPool: true };
};

/** The launch template a fleet or group launches by: the template's fields, over the administrator's own where it names one. */
export const launchTemplateFor = async (
  options: LaunchDataOptions & { readonly launchTemplates: LaunchTemplates },
  template: Template,
  tags: TemplateTags,
): Promise<LaunchTemplateRef> => {
  const data = templateData(await renderLaunchData(options, template), tags);
  const { launchTemplateId: id, launchTemplateVersion: version } = template;
  if (id === undefined) return options.launchTemplates.ensure(data);
  const ownTypes = weightedTypes(template).length > 0 || template.abisInstanceRequirements !== undefined;
  const onlySpot = template.priceType !== 'ondemand' && onDemandUnits(template, 1) === 0;
  return options.launchTemplates.ensure(data, { id, ...optional('version', version), ownTypes, onlySpot }, (theirs) =>
    checkTagCount(template, theirs.TagSpecifications, tags.launched),
  );
};
