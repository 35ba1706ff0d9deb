import { createHash } from 'node:crypto';
import type { Parameters } from './wire/parameters.ts';
import { invalidValue, ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

const fingerprintOf = (params: Parameters): string => {
  const meaning = [...params.form()].filter(([name]) => !/(^|\.)(ClientToken|DryRun)$/.test(name));
  const canonical = meaning.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
};

/**
 * What `make` makes, or what it made when the same action came with the same client token and parameters.
 * A call that fails does not use its token up, and one whose work is forgotten gives it back.
 */
export const once = (
  world: World,
  params: Parameters,
  longest: number,
  make: () => string,
  isKnown: (made: string) => boolean = () => true,
): string => {
  const token = params.text('ClientToken') ?? params.text('SpotFleetRequestConfig.ClientToken');
  if (token === undefined) return make();
  if (token.length > longest)
    throw invalidValue(`Value (${token}) for parameter clientToken is invalid. Maximum length is ${longest}`);
  const key = `${params.text('Action')} ${token}`;
  const fingerprint = fingerprintOf(params);
  const earlier = world.tokens.get(key);
  if (earlier !== undefined && isKnown(earlier.made)) {
    if (earlier.fingerprint === fingerprint) return earlier.made;
    const message = 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).';
    throw new ServiceError('IdempotentParameterMismatch', message);
  }
  const made = make();
  world.tokens.set(key, { fingerprint, made });
  return made;
};
