import type { ErrorCode } from '../../../domain/errors.ts';
import type { OfferingScope } from '../../../domain/offering.ts';

/** The kinds of faults, after what a caller can do about them (aws-provisioning-facts 14). */
export type FaultKind = Extract<ErrorCode, `provider.${string}`>;

/**
 * Error codes by kind, without the `Exception` that some services put at their end: those of EC2's and Auto Scaling's error
 * pages, of Systems Manager, of fleet histories, of the SDK's credentials, and Node's of connections. What is not listed goes by
 * the patterns below, else by whose fault AWS says it is.
 */
export const codesByKind: readonly (readonly [FaultKind, readonly string[]])[] = [
  [
    'provider.capacity',
    [
      'IncompatibleHostRequirements',
      'InsufficientAddressCapacity',
      'InsufficientCapacity',
      'InsufficientCapacityOnHost',
      'InsufficientCidrBlocks',
      'InsufficientFreeAddressesInSubnet',
      'InsufficientHostCapacity',
      'InsufficientInstanceCapacity',
      'InsufficientReservedInstanceCapacity',
      'InsufficientReservedInstancesCapacity',
      'InsufficientVolumeCapacity',
      'ReservationCapacityExceeded',
      'ReservedInstancesUnavailable',
      'SpotMaxPriceTooLow',
      'UnavailableHostRequirements',
      'UnfulfillableCapacity',
      'Unsupported',
      'VolumeTypeNotAvailableInZone',
      'allLaunchSpecsTemporarilyBlacklisted',
      'launchSpecTemporarilyBlacklisted',
    ],
  ],
  [
    'provider.quota',
    [
      'AddressLimitExceeded',
      'HostLimitExceeded',
      'InstanceLimitExceeded',
      'LimitExceeded',
      'MaxFleetCountExceeded',
      'MaxIOPSLimitExceeded',
      'MaxSpotFleetRequestCountExceeded',
      'MaxSpotInstanceCountExceeded',
      'MaxTemplateLimitExceeded',
      'MaxTemplateVersionLimitExceeded',
      'NetworkInterfaceLimitExceeded',
      'PendingVerification',
      'RequestResourceCountExceeded',
      'ResourceCountExceeded',
      'ResourceLimitExceeded',
      'SnapshotLimitExceeded',
      'VcpuLimitExceeded',
      'VolumeIOPSLimit',
      'VolumeLimitExceeded',
    ],
  ],
  [
    'provider.throttled',
    [
      'BandwidthLimitExceeded',
      'ConcurrentTagAccess',
      'EC2Throttled',
      // With its ending it is one of the SDK's throttling codes; without, a quota of Auto Scaling's.
      'LimitExceededException',
      'PriorRequestNotComplete',
      'ProvisionedThroughputExceeded',
      'RequestLimitExceeded',
      'RequestThrottled',
      'SlowDown',
      'SnapshotCreationPerVolumeRateExceeded',
      'Throttled',
      'Throttling',
      'TooManyRequests',
      'TransactionInProgress',
    ],
  ],
  [
    'provider.transient',
    [
      // Another process sent this token with other parameters: what it launched is looked up, never launched again.
      'IdempotentParameterMismatch',
      'InternalError',
      'InternalFailure',
      'InternalServerError',
      'InternalServiceError',
      'InternalServiceFault',
      'ServerInternal',
      'ServiceUnavailable',
      'Unavailable',
      'RequestTimeout',
      // Of what is busy with an earlier change.
      'FleetNotInModifiableState',
      'IncorrectState',
      'ResourceContention',
      'ResourceInUse',
      'ScalingActivityInProgress',
      'ServiceLinkedRoleFailure',
      // Ours, of an answer that AWS did not give.
      'UnexpectedAnswer',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'TimeoutError',
      'AbortError',
    ],
  ],
  [
    'provider.missing',
    [
      'InvalidCapacityReservationIdNotFound',
      'InvalidLaunchTemplateId.VersionNotFound',
      'ParameterNotFound',
      'QueueDoesNotExist',
      'ParameterVersionNotFound',
    ],
  ],
  [
    'provider.denied',
    [
      'AccessDenied',
      'AuthFailure',
      'Blocked',
      'CredentialsProviderError',
      'CustomerKeyHasBeenRevoked',
      // Node's: credentials that no header can hold.
      'ERR_INVALID_CHAR',
      'ExpiredToken',
      'IncompleteSignature',
      'InvalidAccessKeyId',
      'InvalidClientTokenId',
      'InvalidIdentityToken',
      'InvalidSecurity',
      'InvalidSignature',
      'InvalidToken',
      'MissingAuthenticationToken',
      'NotAuthorized',
      'OptInRequired',
      'RegionDisabled',
      'RequestExpired',
      'RequestInTheFuture',
      'RequestTimeTooSkewed',
      'SignatureDoesNotMatch',
      'TokenProviderError',
      'Unauthorized',
      'UnauthorizedOperation',
      'UnrecognizedClient',
    ],
  ],
  [
    'provider.misconfigured',
    [
      // A key of KMS that the launch may not use, whatever its name says.
      'Client.InternalError',
      'fleetRequestConfigurationInvalid',
      'iamFleetRoleInvalid',
      'iamInstanceProfileInvalid',
      'launchSpecUnusable',
      'spotFleetRequestConfigurationInvalid',
    ],
  ],
  [
    'provider.unreachable',
    [
      'EAI_AGAIN',
      'ECONNREFUSED',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENOTFOUND',
      // Node's codes of certificates and handshakes.
      'CERT_CHAIN_TOO_LONG',
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
      'CERT_REJECTED',
      'CERT_REVOKED',
      'CERT_SIGNATURE_FAILURE',
      'CERT_UNTRUSTED',
      'CRL_HAS_EXPIRED',
      'CRL_NOT_YET_VALID',
      'CRL_SIGNATURE_FAILURE',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'EPROTO',
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      'ERROR_IN_CERT_NOT_BEFORE_FIELD',
      'ERROR_IN_CRL_LAST_UPDATE_FIELD',
      'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
      'ERR_TLS_CERT_ALTNAME_FORMAT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'HOSTNAME_MISMATCH',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
      'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
      'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
      'UNABLE_TO_GET_CRL',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      // Ours, of a proxy that did not let the call through, or is not there.
      'ProxyRefused',
      'ProxyUnreachable',
    ],
  ],
];

const kindByCode: ReadonlyMap<string, FaultKind> = new Map(
  codesByKind.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)),
);

/** For the codes of an API that grows. */
const patterns: readonly (readonly [RegExp, FaultKind])[] = [
  // e.g. InvalidInstanceID.NotFound, InvalidLaunchTemplateName.NotFoundException
  [
    /^(InvalidInstanceID|InvalidLaunchTemplate\w+|InvalidFleetId|InvalidSpotFleetRequestId|InvalidCapacityReservationId)\.NotFound/,
    'provider.missing',
  ],
  [/^Insufficient/, 'provider.capacity'],
  [/Throttl|TooManyRequests|RateExceeded$/, 'provider.throttled'],
  [/LimitExceeded$|CountExceeded$|^Max\w+Exceeded$/, 'provider.quota'],
];

export const isListed = (code: string): boolean => kindByCode.has(code);

/** The kind of an AWS error code; undefined for one that says nothing to us. */
export const kindOfCode = (code: string): FaultKind | undefined => {
  // EC2 puts whose fault it is before the codes of state reasons and activities.
  const plain = code.replace(/^(Server|Client)\./, '');
  const name = plain.replace(/Exception$/, '');
  const family = name.split('.')[0] ?? '';
  const listed = [code, plain, name, family].find(isListed);
  if (listed !== undefined) return kindByCode.get(listed);
  const [, kind] = patterns.find(([pattern]) => pattern.test(name)) ?? [];
  return kind ?? (code.startsWith('Server.') ? 'provider.transient' : undefined);
};

/** How much of what was asked for a refusal says something about; other codes say nothing about an offering. */
const scopes: ReadonlyMap<string, OfferingScope> = new Map([
  ['InsufficientInstanceCapacity', 'pool'],
  ['UnfulfillableCapacity', 'pool'],
  ['Unsupported', 'pool'],
  ['ReservationCapacityExceeded', 'pool'],
  ['InsufficientFreeAddressesInSubnet', 'subnet'],
  ['InsufficientCidrBlocks', 'subnet'],
  ['MaxSpotInstanceCountExceeded', 'market'],
  ['VcpuLimitExceeded', 'quota'],
]);

export const scopeOfCode = (code: string): OfferingScope | undefined => scopes.get(code);

/** Words like a code: of several parts (`VcpuLimitExceeded`), or set off from the text (`Unsupported - ...`). */
const codeLike = /\b(?:(?:Server|Client)\.)?[A-Z][a-z]+(?:[A-Z][A-Za-z]*(?:\.[A-Z][A-Za-z]+)?|(?="| ?[:(-]))/g;
const endings = /(Exceeded|Capacity|TooLow|NotFound|Unsupported|Operation|Exception)$/;

/** AWS's code in a text of its own, such as the message of an activity: the first that is known, else the first that looks like one. */
export const codeIn = (text: string): string | undefined => {
  const words = text.match(codeLike) ?? [];
  return words.find((word) => kindOfCode(word) !== undefined) ?? words.find((word) => endings.test(word));
};
