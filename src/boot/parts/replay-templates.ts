/** The administrator's launch templates in a replay, by their own ids, since requests and templates name them. */
import type { World } from '../../emulator/world.ts';

interface TemplateVersion {
  readonly id: string;
  readonly number: number;
  readonly isDefault: boolean;
  /** As EC2's query protocol spells it. */
  readonly data: readonly (readonly [name: string, value: string])[];
}

export const hasLaunchTemplate = (world: World, id: string, number: number): boolean =>
  world.templates.get(id)?.versions.some((version) => version.number === number) === true;

/** Adds a version to a launch template, in place of an earlier one of its number. */
export const putLaunchTemplate = (world: World, { id, number, isDefault, data }: TemplateVersion): void => {
  const known = world.templates.get(id);
  const others = (known?.versions ?? []).filter((each) => each.number !== number);
  const versions = [...others, { number, createdAt: world.now(), data }].sort((a, b) => a.number - b.number);
  const defaultVersion = isDefault ? number : (known?.defaultVersion ?? number);
  const fresh = { id, name: `recorded-${id}`, createdAt: world.now(), tags: {} };
  world.templates.set(id, { ...fresh, ...known, defaultVersion, versions });
};
