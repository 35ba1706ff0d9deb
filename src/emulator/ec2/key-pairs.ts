import { createHash } from 'node:crypto';
import { listing, parameterTable } from '../wire/parameter-table.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';
import type { Action } from './action.ts';
import { readFilters } from './filters.ts';

/** Every key pair exists but those set to be missing. */
export const checkKeys = (world: World, names: readonly string[]): void => {
  const missing = names.find((name) => world.settings.missingKeys.includes(name));
  if (missing !== undefined)
    throw new ServiceError('InvalidKeyPair.NotFound', `The key pair '${missing}' does not exist`);
};

/** Without names those that are set: all others exist by being named. */
export const describeKeyPairs: Action = {
  parameters: parameterTable(`KeyName.N KeyPairId.N IncludePublicKey ${listing}`),
  answer: (world, params) => {
    const names = params.list('KeyName');
    checkKeys(world, names);
    const passes = readFilters<string>(params, { 'key-name': (name) => name });
    return {
      keySet: (names.length > 0 ? names : world.settings.keyPairs).filter(passes).map((keyName) => ({
        keyName,
        keyPairId: `key-0${createHash('sha256').update(keyName).digest('hex').slice(0, 16)}`,
        keyType: 'ed25519',
        tagSet: [],
      })),
    };
  },
};
