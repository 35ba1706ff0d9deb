/**
 * awsprov_config.json: IBM's parameters (upper case and LogLevel) and ours (camel case). Defaults are ours to apply: a value out
 * of range is replaced by its default with a warning.
 */
export const providerConfigSchema = {
  $id: 'awsprov_config',
  type: 'object',
  properties: {
    AWS_REGION: { type: 'string', pattern: '^[a-z]{2,}(-[a-z]+)+-\\d+$', description: 'Region of all calls' },
    AWS_CREDENTIAL_FILE: { type: 'string', description: 'Credentials file; its profile [default] is used' },
    AWS_CREDENTIAL_SCRIPT: { type: 'string', description: 'Program that prints temporary credentials' },
    AWS_CREDENTIAL_RENEW_MARGIN: {
      type: 'integer',
      minimum: 0,
      default: 1770,
      description: 'Seconds after which AWS_CREDENTIAL_SCRIPT is run again',
    },
    AWS_ROLE_ARN: {
      type: 'string',
      pattern: '^arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]{1,512}$',
      description: 'Role that the credentials assume, also of another account: everything is done in its name',
    },
    AWS_ROLE_EXTERNAL_ID: {
      type: 'string',
      pattern: '^[\\w+=,.@:/-]{2,1224}$',
      description: 'External id that the trust policy of AWS_ROLE_ARN asks for',
    },
    AWS_ROLE_SESSION_NAME: {
      type: 'string',
      pattern: '^[\\w+=,.@-]{2,64}$',
      description:
        'Name of the sessions of AWS_ROLE_ARN, for CloudTrail; `hf-` and the name of the provider where none is given',
    },
    AWS_ENDPOINT_URL: {
      type: 'string',
      pattern: '^https?://',
      description: 'EC2 endpoint other than the Region’s own',
    },
    AWS_KEY_FILE: {
      type: 'string',
      description: 'Folder with <keyName>.pem; only looked at for a warning, never written',
    },
    AWS_PROXY_HOST: { type: 'string', description: 'HTTP proxy to AWS' },
    AWS_PROXY_PORT: { type: 'integer', minimum: 1, maximum: 65535, description: 'Needed with AWS_PROXY_HOST' },
    AWS_CONNECTION_TIMEOUT_MS: {
      type: 'integer',
      minimum: 1,
      maximum: 2147483647,
      default: 10000,
      description: 'Milliseconds for a connection to stand',
    },
    AWS_REQUEST_RETRY_ATTEMPTS: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'Retries within the call of a launch or other change that was throttled or lost',
    },
    AWS_INSTANCE_PENDING_TIMEOUT_SEC: {
      type: 'integer',
      minimum: 180,
      maximum: 10000,
      default: 180,
      description: 'A host not usable after this is terminated and reported as failed',
    },
    AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'Retries within the call of a read that was throttled or lost',
    },
    AWS_DESCRIBE_REQUEST_INTERVAL: {
      type: 'integer',
      minimum: 0,
      maximum: 10000,
      default: 0,
      description: 'Milliseconds, times the number of the try, added before each retry of a read',
    },
    ACCEPT_PROPAGATED_LOG_SETTING: {
      type: 'boolean',
      default: false,
      description: 'HF_LOGLEVEL, HF_LOG_MAX_FILE_SIZE and HF_LOG_MAX_ROTATE apply to our log',
    },
    LogLevel: {
      type: 'string',
      enum: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'],
      default: 'INFO',
      description: 'What goes to the log',
    },
    AWS_SPOT_TERMINATE_ON_RECLAIM: {
      type: 'boolean',
      default: false,
      description: 'Accepted: a returned host is always terminated, also one AWS is about to reclaim',
    },
    INSTANCE_CREATION_TIMEOUT: {
      type: 'integer',
      minimum: 1,
      default: 10,
      description: 'Accepted: hosts are never terminated for not being listed by Host Factory',
    },
    AWS_TAG_InstanceID: {
      type: 'boolean',
      default: false,
      description: 'Tag InstanceID on instances and their volumes, one call per host once it runs',
    },
    clusterName: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      default: 'hostfactory',
      description: 'Part of the ownership tag: tells clusters apart that share an account and a provider name',
    },
    ncpusAreCores: {
      type: 'boolean',
      default: false,
      description: 'Where a template leaves out `ncpus`: the cores of its instance types instead of their vCPUs',
    },
    machineTypes: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      default: { x86_64: 'X86_64' },
      description:
        'Where a template leaves out `type`: the machine type of your cluster by architecture, `x86_64` and `arm64`',
    },
    templateDefaults: {
      type: 'object',
      default: {},
      description: 'Template fields for all templates that leave them out; tags and attributes are joined one by one',
    },
    templateDefaultsByApi: {
      type: 'object',
      additionalProperties: { type: 'object' },
      default: {},
      description:
        'The same by `providerApi` of the template, e.g. `{"EC2Fleet": {"fleetType": "request"}}`; these go before `templateDefaults`',
    },
    useServer: {
      type: 'boolean',
      default: true,
      description: 'Whether `hf-aws serve`, where it runs, answers the scripts’ calls; else each does its own',
    },
    rankBy: {
      type: 'string',
      enum: ['none', 'price', 'priceReversed'],
      default: 'none',
      description:
        'Templates without a rank get one by their price: `price` gives the cheapest the highest number, `priceReversed` the lowest',
    },
    actionTimeoutSeconds: {
      type: 'integer',
      minimum: 5,
      maximum: 3600,
      default: 240,
      description: 'HF_PROVIDER_ACTION_TIMEOUT; a call ends by itself at 80 % of it',
    },
    retentionDays: {
      type: 'integer',
      minimum: 0,
      maximum: 3650,
      default: 30,
      description: 'Requests finished for longer are set aside: still answered, no longer listed',
    },
    archiveDays: {
      type: 'integer',
      minimum: 0,
      maximum: 36500,
      default: 90,
      description: 'Days for which requests set aside are kept, compressed, and answered; 0 for good',
    },
    protectAfterFailures: {
      type: 'integer',
      minimum: 0,
      maximum: 10000,
      default: 10,
      description:
        'A template whose last so many machines all died or never became usable launches nothing more; 0 off',
    },
    protectMinutes: {
      type: 'integer',
      minimum: 1,
      maximum: 10080,
      default: 60,
      description: 'Minutes after which such a template may try again; `hf-aws offerings clear` lets it at once',
    },
    metricsTextfile: {
      type: 'string',
      description: 'File to write metrics to, for the textfile collector of node_exporter',
    },
    consistencyWindowSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 600,
      default: 120,
      description: 'For so long an instance EC2 does not show is not believed gone',
    },
    unclaimedRequestMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 60,
      description:
        'A request nobody has asked about for so long never reached Host Factory: its hosts are released; 0 never',
    },
    orphanMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 15,
      description: 'What carries our tag and belongs to no request is released when it is seen again after so long',
    },
    sweepIntervalMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 15,
      description: 'At most so often getReturnRequests looks for such requests and orphans after its answer; 0 never',
    },
    stateTable: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]{3,255}$',
      description:
        'DynamoDB table that holds the state, for hosts without a shared work folder; see [state](#state-in-dynamodb)',
    },
    stateRegion: {
      type: 'string',
      pattern: '^[a-z]{2,}(-[a-z]+)+-\\d+$',
      description: 'With `stateTable`: its Region where that is not AWS_REGION',
    },
    stateEndpoint: {
      type: 'string',
      pattern: '^https?://',
      description: 'With `stateTable`: DynamoDB endpoint other than the Region’s own, e.g. of a VPC endpoint',
    },
    eventQueue: {
      type: 'string',
      pattern: '^https?://[^/?#]+(/[^/?#]+)?/[A-Za-z0-9_-]{1,80}$',
      description:
        'URL of an SQS queue that EventBridge puts events about instances into; see [events](#events-from-aws)',
    },
    fullLookMinutes: {
      type: 'integer',
      minimum: 1,
      maximum: 60,
      default: 5,
      description: 'With `eventQueue`: minutes after which getReturnRequests looks at all hosts all the same',
    },
    rebalance: {
      type: 'string',
      enum: ['report', 'ignore'],
      default: 'ignore',
      description: 'With `eventQueue`: whether a spot host with a rebalance recommendation is reported to be returned',
    },
  },
} as const;
