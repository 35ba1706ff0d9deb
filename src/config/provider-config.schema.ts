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
      description: 'Role to assume with the credentials, also in another account; all calls are made as this role',
    },
    AWS_ROLE_EXTERNAL_ID: {
      type: 'string',
      pattern: '^[\\w+=,.@:/-]{2,1224}$',
      description: 'External id that the trust policy of AWS_ROLE_ARN requires',
    },
    AWS_ROLE_SESSION_NAME: {
      type: 'string',
      pattern: '^[\\w+=,.@-]{2,64}$',
      description: 'Session name of AWS_ROLE_ARN, seen in CloudTrail; by default `hf-` and the name of the provider',
    },
    AWS_ENDPOINT_URL: {
      type: 'string',
      pattern: '^https?://',
      description: 'EC2 endpoint to use instead of the Region’s own',
    },
    AWS_KEY_FILE: {
      type: 'string',
      description: 'Folder of the key files, <keyName>.pem; only read, to warn when one is missing',
    },
    AWS_PROXY_HOST: { type: 'string', description: 'HTTP proxy to AWS, and to a webhook of `notify`' },
    AWS_PROXY_PORT: { type: 'integer', minimum: 1, maximum: 65535, description: 'Needed with AWS_PROXY_HOST' },
    AWS_CONNECTION_TIMEOUT_MS: {
      type: 'integer',
      minimum: 1,
      maximum: 2147483647,
      default: 10000,
      description: 'Connection timeout in milliseconds',
    },
    AWS_REQUEST_RETRY_ATTEMPTS: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'How often a launch or other change is retried within a call after throttling or a lost answer',
    },
    AWS_INSTANCE_PENDING_TIMEOUT_SEC: {
      type: 'integer',
      minimum: 180,
      maximum: 10000,
      default: 180,
      description: 'Seconds a host has to become usable; after that it is terminated and reported as failed',
    },
    AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'How often a read is retried within a call after throttling or a lost answer',
    },
    AWS_DESCRIBE_REQUEST_INTERVAL: {
      type: 'integer',
      minimum: 0,
      maximum: 10000,
      default: 0,
      description: 'Milliseconds added before each retry of a read, multiplied by the number of the attempt',
    },
    ACCEPT_PROPAGATED_LOG_SETTING: {
      type: 'boolean',
      default: false,
      description:
        'Take the log settings that Host Factory passes on: HF_LOGLEVEL, HF_LOG_MAX_FILE_SIZE and HF_LOG_MAX_ROTATE',
    },
    LogLevel: {
      type: 'string',
      enum: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'],
      default: 'INFO',
      description: 'Lowest level that is logged',
    },
    AWS_SPOT_TERMINATE_ON_RECLAIM: {
      type: 'boolean',
      default: false,
      description:
        'Accepted without effect: a returned host is always terminated, even one that AWS is about to reclaim',
    },
    INSTANCE_CREATION_TIMEOUT: {
      type: 'integer',
      minimum: 1,
      default: 10,
      description: 'Accepted without effect: a host is never terminated because Host Factory does not list it',
    },
    AWS_TAG_InstanceID: {
      type: 'boolean',
      default: false,
      description: 'Tag each instance and its volumes with InstanceID; costs one call per host',
    },
    clusterName: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      default: 'hostfactory',
      description: 'Part of the ownership tag; keeps apart clusters that share an account and a provider name',
    },
    ncpusAreCores: {
      type: 'boolean',
      default: false,
      description: 'For templates without `ncpus`: count the cores of the instance type instead of its vCPUs',
    },
    machineTypes: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      default: { x86_64: 'X86_64' },
      description:
        'For templates without `type`: your cluster’s machine type for each architecture, `x86_64` and `arm64`',
    },
    templateDefaults: {
      type: 'object',
      default: {},
      description: 'Values for fields that templates leave out; tags and attributes are merged one by one',
    },
    templateDefaultsByApi: {
      type: 'object',
      additionalProperties: { type: 'object' },
      default: {},
      description:
        'The same for one `providerApi`, e.g. `{"EC2Fleet": {"fleetType": "request"}}`; these win over `templateDefaults`',
    },
    notify: {
      type: 'object',
      default: {},
      description:
        'Who is told when something is wrong, by `hf-aws serve` or `hf-aws notify check`; see [notices](#being-told-of-trouble)',
    },
    useServer: {
      type: 'boolean',
      default: true,
      description: 'Let a running `hf-aws serve` answer the scripts’ calls; otherwise each script does its own work',
    },
    rankBy: {
      type: 'string',
      enum: ['none', 'price', 'priceReversed'],
      default: 'none',
      description:
        'Rank templates that have no rank by price: `price` gives the cheapest the highest rank, `priceReversed` the lowest',
    },
    actionTimeoutSeconds: {
      type: 'integer',
      minimum: 5,
      maximum: 3600,
      default: 240,
      description: 'Host Factory’s HF_PROVIDER_ACTION_TIMEOUT; a call stops by itself at 80 % of it',
    },
    retentionDays: {
      type: 'integer',
      minimum: 0,
      maximum: 3650,
      default: 30,
      description: 'Days to keep finished requests in lists; older ones are archived, and still answered by id',
    },
    archiveDays: {
      type: 'integer',
      minimum: 0,
      maximum: 36500,
      default: 90,
      description: 'Days to keep archived requests, compressed; 0 keeps them forever',
    },
    protectAfterFailures: {
      type: 'integer',
      minimum: 0,
      maximum: 10000,
      default: 10,
      description:
        'Protect a template, so that it launches nothing, after this many machines in a row died or never became usable; 0 turns this off',
    },
    protectMinutes: {
      type: 'integer',
      minimum: 1,
      maximum: 10080,
      default: 60,
      description: 'Minutes until a protected template may launch again; `hf-aws offerings clear` ends the wait',
    },
    metricsTextfile: {
      type: 'string',
      description: 'File to write metrics to, for node_exporter’s textfile collector',
    },
    consistencyWindowSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 600,
      default: 120,
      description: 'Seconds before an instance that EC2 does not show counts as gone',
    },
    unclaimedRequestMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 60,
      description:
        'Minutes after which a request whose status nobody has ever asked for counts as abandoned, and its hosts are released; 0 means never',
    },
    orphanMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 15,
      description: 'Minutes after which a leaked resource (our tag, but no request) is released if it is found again',
    },
    sweepIntervalMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10080,
      default: 15,
      description:
        'Minutes between the sweeps for abandoned requests and leaked resources, which getReturnRequests runs after its answer; 0 means never',
    },
    recordCalls: {
      type: 'boolean',
      default: false,
      description:
        'Record each call of Host Factory, without secrets, in `recordings` of the work folder; `hf-aws replay` plays them again',
    },
    recordCallsDays: {
      type: 'integer',
      minimum: 1,
      maximum: 365,
      default: 7,
      description: 'With `recordCalls`: days to keep recorded calls',
    },
    recordCallsMegabytes: {
      type: 'integer',
      minimum: 1,
      maximum: 100000,
      default: 1000,
      description:
        'With `recordCalls`: most megabytes of recorded calls on each host; the oldest hours are removed first',
    },
    stateTable: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]{3,255}$',
      description: 'DynamoDB table for the state of hosts that share no work folder; see [state](#state-in-dynamodb)',
    },
    stateRegion: {
      type: 'string',
      pattern: '^[a-z]{2,}(-[a-z]+)+-\\d+$',
      description: 'Region of `stateTable`, if not AWS_REGION',
    },
    stateEndpoint: {
      type: 'string',
      pattern: '^https?://',
      description: 'DynamoDB endpoint for `stateTable` instead of the Region’s own, e.g. a VPC endpoint',
    },
    eventQueue: {
      type: 'string',
      pattern: '^https?://[^/?#]+(/[^/?#]+)?/[A-Za-z0-9_-]{1,80}$',
      description:
        'URL of the SQS queue into which EventBridge puts events about instances; see [events](#events-from-aws)',
    },
    fullLookMinutes: {
      type: 'integer',
      minimum: 1,
      maximum: 60,
      default: 5,
      description: 'With `eventQueue`: minutes between the calls of getReturnRequests that still check all hosts',
    },
    rebalance: {
      type: 'string',
      enum: ['report', 'ignore'],
      default: 'ignore',
      description: 'With `eventQueue`: report spot hosts with a rebalance recommendation for return, or ignore it',
    },
  },
} as const;
