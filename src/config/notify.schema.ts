/** The parameter `notify` of awsprov_config.json. Only those who notify read it: a fault in it stops no call of Host Factory. */
export const notifySchema = {
  $id: 'notify',
  type: 'object',
  additionalProperties: false,
  properties: {
    command: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      items: { type: 'string', maxLength: 4096 },
      description: 'A program, by its full path, and its arguments: run without a shell, the JSON on standard input',
    },
    webhook: { type: 'string', pattern: '^https?://', description: 'URL that the JSON is posted to, signed' },
    secretFile: {
      type: 'string',
      minLength: 1,
      description: 'With `webhook`: file with the secret that signs, private to its owner (0600)',
    },
    secretVariable: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description: 'With `webhook`: the environment variable with the secret, instead of a file',
    },
    silentMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 10,
      description: 'Told when Host Factory has called no script for so long; 0 never',
    },
    refusedMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 30,
      description: 'Told when AWS has refused capacity of a template for so long; 0 never',
    },
    unreachableMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 5,
      description: 'Told when AWS does not answer, or the store cannot be used, for so long; 0 never',
    },
    repeatMinutes: {
      type: 'integer',
      minimum: 5,
      maximum: 10080,
      default: 240,
      description: 'What lasts is told again so often',
    },
  },
} as const;
