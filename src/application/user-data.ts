const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const shownOf = (key: string, value: unknown): unknown => {
  if (key === 'UserData' && typeof value === 'string') return `<${value.length} characters of base64>`;
  if (Array.isArray(value)) return value.map((each: unknown) => (isPlain(each) ? withoutUserData(each) : each));
  return isPlain(value) ? withoutUserData(value) : value;
};

/** A call to AWS without the user data in it, which may hold secrets: what people are shown. */
export const withoutUserData = (call: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(call).map(([key, value]) => [key, shownOf(key, value)]));
