const removed = '<removed>';

/** Names whose values are nobody's business. A client token makes a launch idempotent and opens nothing. */
const secretName =
  /secret|passw|passphrase|pwd|(?<!by|com)pass$|(?<!client)token|(?:api|access|private|signing|encryption|shared|account|session|master)key$|keymaterial|externalid|authorization|cookie|sig(?:nature)?$|^userdata(?:text|plain|base64)?$/i;

/** They tell where a secret is kept. */
const whereabouts = /(?:file|path|folder|variable)$/i;

const isSecretName = (name: string): boolean => {
  const plain = name.replaceAll(/[-_.\s]/g, '');
  return secretName.test(plain) && !whereabouts.test(plain);
};

/** `name = value` in logs, scripts, URLs and credentials files: a value goes to its closing quote, or to the next space or name. */
const assignment =
  /(?<![\w.-])([\w.-]+)((?:\\*["'])?\s*[:=]\s*)((?:(?:bearer|basic)\s+)?(?:\\*"(?:[^"\\]|\\(?!"))*(?:\\*"|$)|'[^'\n]*'?|[^\s"'](?:[^\s,;&]|[,;&](?!\s*["']?[\w.-]+["']?\s*[:=]))*))/gi;

/** Headers whose values have spaces in them. */
const header =
  /\b(authorization|(?:set-)?cookie)(\s*[:=]\s*)(?=[^\s"'])(?:(?:AWS4-HMAC-SHA256|digest)\s[^\n]*|[^"'\n]*)/gi;

const option = /(?<![\w-])(--?[a-z][\w-]*)([ \t]+)(?:"[^"\n]*"?|'[^'\n]*'?|[^\s"'-]\S*)/gi;

const element = /<([\w:.-]+)>([^<]+)</g;

/** Forms that tell a secret whatever stands before it. */
const forms: readonly (readonly [form: RegExp, instead: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)/g, removed],
  // A user alone may be a token.
  [/(:\/\/)[^/?#\s"'<>]+@/g, `$1${removed}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${removed}`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{4,}\b/g, removed],
  // JSON Web Tokens, webhooks that are their own secret, and tokens that say what they are.
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, removed],
  [/(\/\/hooks\.slack\.com\/)[^\s"'<>]+/g, `$1${removed}`],
  [/\b(?:whsec_|gh[opsu]_|github_pat_|glpat-|xox[a-z]-)[\w+/=-]{8,}/g, removed],
  // A secret key of AWS; a digest has no capitals.
  [/(?<![\w/+=])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=])/g, removed],
  // Session tokens, and scripts in base64.
  [/[A-Za-z0-9+/]{200,}={0,2}/g, removed],
];

type Variables = Readonly<Record<string, string | undefined>>;

/** An environment without the variables that hold secrets. */
export const withoutSecrets = (env: Variables): Variables =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/SECRET|TOKEN|PASSW/.test(name)));

/** What stands there in the place of a password, as written and as meant. */
const passwordIn = (url: string): readonly string[] => {
  const [, written] = /^\w+:\/\/[^\s:/]*:([^\s]+)@[^\s@]*$/.exec(url) ?? [];
  if (written === undefined) return [];
  return URL.canParse(url) ? [written, decodeURIComponent(new URL(url).password)] : [written];
};

const isSecretVariable = (name: string): boolean => isSecretName(name) && !/^(?:OLD)?PWD$/.test(name);

/** Names in a credentials file whose values are no secret, and are needed where they stand elsewhere. */
const isOpen = (name: string): boolean => /^(?:region|output|source_profile|role_arn|role_session_name)$/.test(name);

/** `name = value` as a credentials file has it. */
const secretIn = (line: string): readonly string[] => {
  const [name = '', ...rest] = line.split('=');
  const value = rest.join('=').trim();
  return value === '' || isOpen(name.trim()) ? [] : [value];
};

/** The secrets in the text of a credentials file and in an environment, passwords of proxies included. */
export const secretsIn = (env: Variables, credentials: string): readonly string[] => [
  ...credentials.split('\n').flatMap(secretIn),
  ...Object.entries(env).flatMap(([name, value = '']) =>
    isSecretVariable(name) ? [value, ...passwordIn(value)] : passwordIn(value),
  ),
];

/** As it may stand in JSON and in a URL too. */
const spellings = (secret: string): readonly string[] => [
  ...new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
];

/** `name=value;name=value`, as templates may have tags. */
const inTags = (written: string): string =>
  written
    .split(';')
    .map((tag) => {
      const [name = ''] = tag.split('=', 1);
      return name.length < tag.length && isSecretName(name) ? `${name}=${removed}` : tag;
    })
    .join(';');

/** Of the address of a webhook, the path may be its secret. */
const originOf = (written: string): string =>
  URL.canParse(written) ? `${new URL(written).origin}/${removed}` : removed;

/** Takes out of texts and JSON what is secret by its name, by its form, or since it is one of `known`. */
export const redaction = (known: readonly string[]) => {
  const long = known
    .filter((each) => each.length >= 6)
    .flatMap(spellings)
    .sort((a, b) => b.length - a.length);
  const text = (written: string): string => {
    const without = long.reduce((rest, each) => rest.replaceAll(each, removed), written);
    const plain = forms.reduce((rest, [form, instead]) => rest.replaceAll(form, instead), without);
    return plain
      .replaceAll(header, (_all, name: string, between: string) => `${name}${between}${removed}`)
      .replaceAll(assignment, (all, name: string, between: string, value: string) => {
        if (!isSecretName(name)) return all;
        const quote = /^\\*["']/.exec(value)?.[0] ?? '';
        return `${name}${between}${quote}${removed}${quote}`;
      })
      .replaceAll(option, (all, name: string, between: string) =>
        isSecretName(name) ? `${name}${between}${removed}` : all,
      )
      .replaceAll(element, (all, name: string) => (isSecretName(name) ? `<${name}>${removed}<` : all));
  };
  const field = (name: string, value: unknown): unknown => {
    if (typeof value !== 'string') return json(value);
    if (/tags$/i.test(name)) return text(inTags(value));
    return /^webhook$/i.test(name) ? originOf(value) : text(value);
  };
  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) {
      const [name] = value;
      // A tag, as templates have it.
      if (typeof name === 'string' && value.length === 2 && isSecretName(name)) return [name, removed];
      // The words of a command.
      return value.map((each: unknown, index) => {
        const before: unknown = value[index - 1];
        return typeof before === 'string' && /^--?[a-z][\w-]*$/i.test(before) && isSecretName(before)
          ? removed
          : json(each);
      });
    }
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value);
    // A tag as AWS has it, and a parameter of the configuration.
    const named = fields.some(
      ([name, each]) => /^(?:tag)?key$|^name$/i.test(name) && typeof each === 'string' && isSecretName(each),
    );
    return Object.fromEntries(
      fields.map(([name, each]: [string, unknown]) => {
        const isSecret = isSecretName(name) || (named && /^(?:tag)?values?$/i.test(name));
        return [text(name), isSecret && each !== null && each !== undefined ? removed : field(name, each)];
      }),
    );
  };
  return { text, json };
};
