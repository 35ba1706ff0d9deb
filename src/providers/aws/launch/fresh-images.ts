import type { CapacityProvider, LaunchOrder } from '../../../application/ports/capacity.ts';
import { isPluginError, messageOf } from '../../../domain/errors.ts';
import type { Template } from '../../../domain/template/template.ts';

interface Images {
  /** The AMI that an alias names. */
  readonly imageOf: (alias: string) => Promise<string>;
  /** Drops what is remembered of aliases that stood for this AMI. */
  readonly forget: (imageId: string) => Promise<void>;
}

/** The AMI that AWS says is gone: `InvalidAMIID.NotFound: The image id '[ami-...]' does not exist`. */
const goneImage = (text: string): string | undefined =>
  /InvalidAMIID|image id/i.test(text) ? /\bami-[0-9a-f]{8,17}\b/.exec(text)?.[0] : undefined;

/**
 * An alias is remembered for a while, in which its image may be deregistered and the alias moved on: of an image that is gone
 * nothing is remembered, and the launch goes out once more with what the alias stands for now.
 */
export const withFreshImages = (provider: CapacityProvider, { imageOf, forget }: Images): CapacityProvider => {
  const gone = new Set<string>();
  /** Images of this process's launches that came from an alias. */
  const resolved = new Set<string>();
  const note = async (text: string): Promise<string | undefined> => {
    const imageId = goneImage(text);
    if (imageId === undefined) return undefined;
    gone.add(imageId);
    await forget(imageId);
    return imageId;
  };
  const current = async (template: Template): Promise<Template> => {
    const { imageAlias } = template;
    return imageAlias === undefined ? template : { ...template, imageId: await imageOf(imageAlias) };
  };
  const prepareWith = async (order: LaunchOrder, template: Template) => {
    const { imageId = '', imageAlias } = template;
    if (imageAlias !== undefined && gone.has(imageId)) return undefined;
    if (imageAlias !== undefined) resolved.add(imageId);
    return provider.prepare({ ...order, template });
  };
  const { keeper } = provider;
  return {
    ...provider,
    prepare: async (order) => {
      const { template, earlier } = order;
      if (earlier.length > 0) return prepareWith(order, await current(template));
      try {
        return await prepareWith(order, template);
      } catch (error) {
        if (!isPluginError(error) || template.imageAlias === undefined) throw error;
        const imageId = await note(messageOf(error));
        const renewed = await current(template);
        if (imageId === undefined || renewed.imageId === imageId) throw error;
        return prepareWith(order, renewed);
      }
    },
    launch: async (launch, isRepeat) => {
      const report = await provider.launch(launch, isRepeat);
      if (report.refusal === undefined) return report;
      const imageId = await note(`${report.refusal.code}: ${report.refusal.message}`);
      return imageId !== undefined && resolved.has(imageId) ? { ...report, tryNextPool: true } : report;
    },
    ...(keeper === undefined
      ? {}
      : {
          keeper: {
            ...keeper,
            explain: async (resource) => {
              const found = await keeper.explain(resource);
              if (found !== undefined) await note(`${found.code}: ${found.message}`);
              return found;
            },
          },
        }),
  };
};
