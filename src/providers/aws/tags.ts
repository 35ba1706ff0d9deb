import type { Tag } from '@aws-sdk/client-ec2';

/** The tags that say whose an instance is. Given in the launch call: an instance without them never exists. */
export const tagKeys = {
  /** The ownership mark, `<cluster>/<provider instance>`: nothing without it is ever terminated. */
  owner: 'hf-aws:owner',
  request: 'hf-aws:request-id',
  template: 'hf-aws:template-id',
  version: 'hf-aws:version',
} as const;

const ownPrefix = /^(hf-aws:|aws:)/i;

export const tagValue = (tags: readonly Tag[], key: string): string | undefined =>
  tags.find(({ Key }) => Key === key)?.Value;

/** The administrator's tags as Host Factory gets them, `k=v;k=v`. */
export const instanceTagsText = (tags: readonly Tag[]): string =>
  tags
    .filter(({ Key = '' }) => !ownPrefix.test(Key))
    .map(({ Key = '', Value = '' }) => `${Key}=${Value}`)
    .join(';');
