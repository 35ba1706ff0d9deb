import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Resource } from '../../domain/request/events.ts';
import type { ProviderApi } from '../../domain/template/template.ts';
import type { Logger } from '../ports/telemetry.ts';

export const keeperOf = async <K>(
  { providers }: { readonly providers: (api: ProviderApi) => Promise<{ readonly keeper?: K }> },
  kind: Resource['kind'],
): Promise<K> => {
  const { keeper } = await providers(kind);
  if (keeper === undefined) throw new Error(`no keeper for ${kind}`);
  return keeper;
};

/** A fault with one fleet or group is logged. Its own request waits for the next look, the others do not. */
export const unlessFault = async <T>(
  log: Logger,
  { kind, id }: Resource,
  action: Promise<T>,
): Promise<T | undefined> => {
  try {
    return await action;
  } catch (error) {
    if (!isPluginError(error)) throw error;
    log.warn('resource.unverified', `${kind} ${id}: ${messageOf(error)}`, { aws: error.aws });
    return undefined;
  }
};
