import type { Tag } from '@aws-sdk/client-ec2';

/** The tags that say whose an instance is. Given in the launch call: an instance without them never exists. */
export const tagKeys = {
  /** The ownership ownership, `<cluster>/<provider instance>`: nothing without it is ever terminated. */
  owner: 'hf-aws:owner',
  request: 'hf-aws:request-id',
  template: 'hf-aws:template-id',
  /** The work directory whose records know it: another installation of the same name takes it for no orphan of its own. */
  store: 'hf-aws:store',
  version: 'hf-aws:version',
} as const;

const ownPrefix = /^(hf-aws:|aws:)/i;

export interface Ownership {
  /** `<cluster>/<provider instance>` */
  readonly owner: string;
  /** The id of the work directory. */
  readonly store: string;
}

const tagValue = (tags: readonly Tag[], key: string): string | undefined => tags.find(({ Key }) => Key === key)?.Value;

/** By which AWS tags the members of fleets and groups. */
const memberTags: ReadonlySet<string> = new Set([
  'aws:autoscaling:groupName',
  'aws:ec2:fleet-id',
  'aws:ec2spot:fleet-request-id',
]);

/** What our tags on a resource say, and AWS's of what it belongs to. */
export const readOwnership = (tags: readonly Tag[], { owner, store }: Ownership) => {
  const request = tagValue(tags, tagKeys.request);
  const isOther = (tagValue(tags, tagKeys.store) ?? store) !== store;
  const named = tagValue(tags, tagKeys.owner);
  return {
    ours: named === owner,
    ...(named === undefined || named === owner ? {} : { ofOtherOwner: true as const }),
    ...(isOther ? { ofOtherStore: true as const } : {}),
    ...(request === undefined ? {} : { requestId: request }),
    ...(tags.some(({ Key = '' }) => memberTags.has(Key)) ? { isMember: true as const } : {}),
  };
};

/** The administrator's tags as Host Factory gets them, `k=v;k=v`. */
export const instanceTagsText = (tags: readonly Tag[]): string =>
  tags
    .filter(({ Key = '' }) => !ownPrefix.test(Key))
    .map(({ Key = '', Value = '' }) => `${Key}=${Value}`)
    .join(';');
