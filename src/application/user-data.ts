/** A call to AWS without the user data in it, which may hold secrets: what people are shown. */
export const withoutUserData = (call: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(call).map(([key, value]: readonly [string, unknown]) => {
      if (key === 'UserData' && typeof value === 'string') return [key, `<${value.length} characters of base64>`];
      if (Array.isArray(value)) return [key, value.map((each: unknown) => withoutIn(each))];
      return [key, withoutIn(value)];
    }),
  );

const withoutIn = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? withoutUserData(value) : value;
