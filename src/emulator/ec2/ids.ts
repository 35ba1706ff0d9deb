import { ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';

type Kind = 'i' | 'r' | 'vol' | 'eni' | 'eni-attach' | 'lt';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** 17 hex digits, as EC2's long ids have: a zero, the world's seed, the number, the part (second volume, interface ...). */
export const resourceId = (world: World, kind: Kind, number: number, part = 0): string =>
  `${kind}-0${world.seed}${hex(number, 6)}${hex(part, 2)}`;

export const spotRequestId = (world: World, number: number): string => `sir-${world.seed.slice(0, 2)}${hex(number, 6)}`;

/** Fleets' ids look like UUIDs. */
export const fleetId = (world: World, kind: 'fleet' | 'sfr', number: number): string =>
  `${kind}-${world.seed}-0000-4000-8000-${hex(number, 12)}`;

/** The owner's number and the part's, from an id of this world; undefined for any other. */
export const parseResourceId = (
  world: World,
  id: string,
): { kind: string; number: number; part: number } | undefined => {
  const [, kind, seed, number, part] = /^(i|vol|eni)-0(.{8})([0-9a-f]{6})([0-9a-f]{2})$/.exec(id) ?? [];
  if (kind === undefined || number === undefined || part === undefined || seed !== world.seed) return undefined;
  return { kind, number: Number.parseInt(number, 16), part: Number.parseInt(part, 16) };
};

/** Fails with `code` unless every id is the prefix and 8 to 17 hex digits, old and new length both being valid. */
export const checkForm = (code: string, prefix: string, ids: readonly string[]): void => {
  const form = new RegExp(`^${prefix}-[0-9a-f]{8,17}$`);
  const malformed = ids.find((id) => !form.test(id));
  if (malformed !== undefined) throw new ServiceError(code, `Invalid id: "${malformed}" (expecting "${prefix}-...")`);
};

/** EC2's words for ids that name nothing, e.g. `The subnet ID 'subnet-1' does not exist`. */
export const notFound = (code: string, what: string, ids: readonly string[], shown = ids.join(', ')): ServiceError => {
  const [plural, verb] = ids.length === 1 ? ['', 'does'] : ['s', 'do'];
  return new ServiceError(code, `The ${what}${plural} '${shown}' ${verb} not exist`);
};
