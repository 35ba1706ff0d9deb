/** A schema without its descriptions, of which a validator makes no use. */
export const withoutProse = <S>(schema: S): S =>
  JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'description' ? undefined : value)));
