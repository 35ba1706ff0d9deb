const removed = '<removed>';

/** Names whose values are nobody's business. A client token makes a launch idempotent and opens nothing. */
const secretName =
  /secret|passw|passphrase|(?<!client)token|apikey|externalid|privatekey|authorization|cookie|^userdata$/i;

const isSecretName = (name: string): boolean => secretName.test(name.replaceAll(/[-_.\s]/g, ''));

/** `name = value` in logs, scripts and credentials files. */
const assignment =
  /(?<![\w.-])([\w.-]+)(["']?\s*[:=]\s*["']?)((?:(?:bearer|basic)\s+|AWS4-HMAC-SHA256\s.*)?[^\s"',;]+)/gi;

/** Forms that tell a secret whatever stands before it. */
const forms: readonly (readonly [form: RegExp, instead: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, removed],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, `$1${removed}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${removed}`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{4,}\b/g, removed],
  // A secret key of AWS; a digest has no capitals.
  [/(?<![\w/+=])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=])/g, removed],
  // Session tokens, and scripts in base64.
  [/[A-Za-z0-9+/]{200,}={0,2}/g, removed],
];

const isSecretVariable = (name: string): boolean => /SECRET|TOKEN|PASSW/.test(name);

type Variables = Readonly<Record<string, string | undefined>>;

/** An environment without the variables that hold secrets. */
export const withoutSecrets = (env: Variables): Variables =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !isSecretVariable(name)));

/** What stands behind `=` in the text of a credentials file, and the secrets of an environment. */
export const secretsIn = (env: Variables, credentials: string): readonly string[] => [
  ...[...credentials.matchAll(/=\s*(\S+)/g)].map(([, value = '']) => value),
  ...Object.entries(env).flatMap(([name, value = '']) => (isSecretVariable(name) ? [value] : [])),
];

/** Takes out of texts and JSON what is secret by its name, by its form, or since it is one of `known`. */
export const redaction = (known: readonly string[]) => {
  const long = known.filter((each) => each.length >= 6).sort((a, b) => b.length - a.length);
  const text = (written: string): string => {
    const without = long.reduce((rest, each) => rest.replaceAll(each, removed), written);
    const plain = forms.reduce((rest, [form, instead]) => rest.replaceAll(form, instead), without);
    return plain.replaceAll(assignment, (all, name: string, between: string) =>
      isSecretName(name) ? `${name}${between}${removed}` : all,
    );
  };
  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) {
      const [name, , ...more] = value;
      // A tag, as templates have it.
      if (typeof name === 'string' && value.length === 2 && more.length === 0 && isSecretName(name))
        return [name, removed];
      return value.map(json);
    }
    if (typeof value !== 'object' || value === null) return value;
    const fields: Readonly<Record<string, unknown>> = { ...value };
    // A tag as AWS has it, and a parameter of the configuration.
    const named = [fields['Key'], fields['name']].some((name) => typeof name === 'string' && isSecretName(name));
    return Object.fromEntries(
      Object.entries(fields).map(([name, each]) => {
        const isSecret = isSecretName(name) || (named && /^value$/i.test(name));
        return [name, isSecret && each !== null && each !== undefined ? removed : json(each)];
      }),
    );
  };
  return { text, json };
};
