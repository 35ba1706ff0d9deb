import { providerConfigSchema } from './provider-config.schema.ts';

// Plain data: the build puts the values in the place of their making, so that the scripts load no word written for people.

const parameters: readonly (readonly [name: string, schema: { readonly type: string; readonly default?: unknown }])[] =
  Object.entries(providerConfigSchema.properties);

/** The type of every parameter's value. */
export const parameterTypes: Readonly<Record<string, { readonly type: string }>> = Object.fromEntries(
  parameters.map(([name, { type }]) => [name, { type }]),
);

export const parameterDefaults: Readonly<Record<string, unknown>> = Object.fromEntries(
  parameters.flatMap(([name, schema]) => ('default' in schema ? [[name, schema.default]] : [])),
);
