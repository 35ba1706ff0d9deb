import { describe, expect, it } from 'vitest';
import { gravest, lessonOf, refusalFaultOf } from '../../../../../src/providers/aws/launch/refusal.ts';
import { codeIn, kindOfCode, scopeOfCode } from '../../../../../src/providers/aws/wire/error-codes.ts';
import { faultKind } from '../../../../../src/providers/aws/wire/fault.ts';

/** EC2's page of error codes, Auto Scaling's and Systems Manager's common errors, the SDK's lists of what to retry, Node's codes. */
const codes = {
  'provider.capacity': `IncompatibleHostRequirements InsufficientAddressCapacity InsufficientCapacity
    InsufficientCapacityOnHost InsufficientCidrBlocks InsufficientFreeAddressesInSubnet InsufficientHostCapacity
    InsufficientInstanceCapacity InsufficientReservedInstanceCapacity InsufficientReservedInstancesCapacity
    InsufficientVolumeCapacity InsufficientSomethingNew ReservationCapacityExceeded ReservedInstancesUnavailable
    Server.InsufficientInstanceCapacity SpotMaxPriceTooLow UnavailableHostRequirements UnfulfillableCapacity Unsupported
    UnsupportedException VolumeTypeNotAvailableInZone launchSpecTemporarilyBlacklisted`,
  'provider.quota': `AddressLimitExceeded AttachmentLimitExceeded Client.VolumeLimitExceeded ConcurrentSnapshotLimitExceeded
    HostLimitExceeded InstanceLimitExceeded InvalidInterface.IpAddressLimitExceeded KeyPairLimitExceeded LimitExceeded
    MaxConfigLimitExceededException MaxFleetCountExceeded MaxIOPSLimitExceeded MaxScheduledInstanceCapacityExceeded
    MaxSpotFleetRequestCountExceeded MaxSpotInstanceCountExceeded MaxTemplateLimitExceeded MaxTemplateVersionLimitExceeded
    NetworkInterfaceLimitExceeded PendingSnapshotLimitExceeded PendingVerification PlacementGroupLimitExceeded
    PrivateIpAddressLimitExceeded RequestResourceCountExceeded ReservedInstancesCountExceeded ReservedInstancesLimitExceeded
    ResourceCountExceeded ResourceCountLimitExceeded ResourceLimitExceeded ScheduledInstanceLimitExceeded
    SecurityGroupLimitExceeded SecurityGroupsPerInstanceLimitExceeded SnapshotLimitExceeded SomethingNewLimitExceeded
    SubnetLimitExceeded TagLimitExceeded TargetCapacityLimitExceededException UpdateLimitExceeded VcpuLimitExceeded
    VolumeIOPSLimit VolumeLimitExceeded spotInstanceCountLimitExceeded`,
  'provider.throttled': `BandwidthLimitExceeded ConcurrentTagAccess EC2ThrottledException LimitExceededException
    PriorRequestNotComplete ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled
    RequestThrottledException SlowDown SnapshotCreationPerVolumeRateExceeded ThrottledException Throttling
    ThrottlingException TooManyRequestsException TransactionInProgressException`,
  'provider.transient': `AbortError ECONNRESET EPIPE ETIMEDOUT FleetNotInModifiableState IdempotentParameterMismatch
    IncorrectState InternalError InternalFailure InternalServerError InternalServerErrorException InternalServiceError
    RequestTimeout RequestTimeoutException ResourceContention ResourceInUse ScalingActivityInProgress Server.InternalError
    Server.SomethingNew ServerInternal ServiceLinkedRoleFailure ServiceUnavailable TimeoutError Unavailable UnexpectedAnswer`,
  'provider.missing': `InvalidCapacityReservationId.NotFound InvalidCapacityReservationIdNotFoundException
    InvalidFleetId.NotFound InvalidInstanceID.NotFound InvalidLaunchTemplateId.NotFound
    InvalidLaunchTemplateId.VersionNotFound InvalidLaunchTemplateName.NotFoundException InvalidSpotFleetRequestId.NotFound
    ParameterNotFound ParameterVersionNotFound`,
  'provider.denied': `AccessDenied AccessDeniedException AuthFailure AuthFailure.ServiceLinkedRoleCreationNotPermitted
    Blocked CredentialsProviderError CustomerKeyHasBeenRevoked ExpiredToken ExpiredTokenException IncompleteSignature
    IncompleteSignatureException InvalidClientTokenId InvalidIdentityToken InvalidSecurity.RequestHasExpired
    InvalidSignatureException MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized OptInRequired
    RegionDisabledException RequestExpired RequestInTheFuture RequestTimeTooSkewed SignatureDoesNotMatch
    UnauthorizedException UnauthorizedOperation UnrecognizedClientException`,
  'provider.unreachable': `CERT_CHAIN_TOO_LONG CERT_HAS_EXPIRED CERT_NOT_YET_VALID CERT_REJECTED CERT_REVOKED
    CERT_UNTRUSTED DEPTH_ZERO_SELF_SIGNED_CERT EAI_AGAIN ECONNREFUSED EHOSTUNREACH ENETUNREACH ENOTFOUND EPROTO
    ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH INVALID_CA INVALID_PURPOSE PATH_LENGTH_EXCEEDED
    SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_CRL UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    UNABLE_TO_VERIFY_LEAF_SIGNATURE`,
  'provider.misconfigured': `AlreadyExists BootForVolumeTypeUnsupported Client.InternalError DependencyViolation
    DisallowedForDedicatedTenancyNetwork DryRunOperation DuplicateSubnetsInSameZone EncryptedVolumesNotSupported
    IdempotentInstanceTerminated InaccessibleStorageLocation IncorrectInstanceState InstanceCreditSpecification.NotSupported
    InvalidAMIID.Malformed InvalidAMIID.NotFound InvalidAMIID.Unavailable InvalidAction InvalidAffinity
    InvalidAvailabilityZone InvalidBlockDeviceMapping InvalidCharacter InvalidFilter InvalidFleetConfig InvalidFormat
    InvalidGroup.NotFound InvalidHostConfiguration InvalidIamInstanceProfileArn.Malformed InvalidInput
    InvalidInstanceAttributeValue InvalidInstanceID.Malformed InvalidInstanceType InvalidKeyPair.NotFound
    InvalidLaunchTemplateId.Malformed InvalidLaunchTemplateName.AlreadyExistsException InvalidMaxResults
    InvalidNetworkInterface.InUse InvalidNetworkInterfaceID.NotFound InvalidNextToken InvalidPaginationToken
    InvalidParameter InvalidParameterCombination InvalidParameterDependency InvalidParameterValue
    InvalidPlacementGroup.Unknown InvalidQuantity InvalidRequest InvalidSecurityGroupID.NotFound InvalidSnapshot.NotFound
    InvalidSpotFleetRequestConfig InvalidState InvalidSubnet InvalidSubnetID.NotFound InvalidTagKey.Malformed
    InvalidUserData.Malformed InvalidVolume.NotFound InvalidZone.NotFound LimitPriceExceeded MalformedQueryString
    MissingAction MissingInput MissingParameter NetworkInterfaceNotSupported NoSuchVersion OperationNotPermitted
    RequestEntityTooLarge SomethingNewFromAws TagPolicyViolation UnknownParameter UnknownVolumeType
    UnsupportedHibernationConfiguration UnsupportedHostConfiguration UnsupportedInstanceAttribute UnsupportedOperation
    UnsupportedProtocol UnsupportedTenancy VPCIdNotSpecified ValidationError iamFleetRoleInvalid
    spotFleetRequestConfigurationInvalid`,
} as const;

const rows = Object.entries(codes).flatMap(([kind, list]) => list.split(/\s+/).map((code) => [code, kind] as const));
const answered = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error('text'), { name, $fault: 'client', $metadata: { httpStatusCode } });

describe('an error code', () => {
  it.each(rows)('%s is %s as an answer', (code, kind) => expect(faultKind(answered(code, 400))).toBe(kind));

  it.each(rows)('%s is of the kind %s where no status comes with it', (code, kind) =>
    expect(kindOfCode(code) ?? 'provider.misconfigured').toBe(kind),
  );

  it.each(['SomethingNewFromAws', 'DryRunOperation', 'toString', '__proto__', 'constructor', ''])(
    '%j that says nothing to us has no kind of its own',
    (code) => expect(kindOfCode(code)).toBeUndefined(),
  );

  it('that is unknown passes where the service is at fault', () =>
    expect(faultKind(answered('SomethingNewFromAws', 503))).toBe('provider.transient'));
});

describe('a refusal told by a code alone', () => {
  it.each([
    ['VcpuLimitExceeded', 'provider.quota'],
    ['InternalServerError', 'provider.capacity'],
    ['SomethingNewFromAws', 'provider.misconfigured'],
  ] as const)('%s is %s: what passes is a lack of capacity for now', (code, fault) =>
    expect(refusalFaultOf(code, 'provider.misconfigured')).toBe(fault),
  );

  it.each([
    [['UnfulfillableCapacity', 'InvalidParameterCombination'], 'InvalidParameterCombination', 'provider.misconfigured'],
    [['InsufficientInstanceCapacity', 'UnauthorizedOperation', 'Nonsense'], 'UnauthorizedOperation', 'provider.denied'],
    [['InternalError', 'InsufficientInstanceCapacity'], 'InternalError', 'provider.capacity'],
    [['UnfulfillableCapacity', 'MaxSpotInstanceCountExceeded'], 'MaxSpotInstanceCountExceeded', 'provider.quota'],
  ] as const)('among %j is %s: it stays until somebody does something', (all, code, fault) =>
    expect(
      gravest(
        all.map((ErrorCode) => ({ ErrorCode })),
        'provider.misconfigured',
      ),
    ).toMatchObject({ code, fault }),
  );

  it('is none where there are no errors', () => expect(gravest([], 'provider.capacity')).toBeUndefined());
});

describe('what a refusal teaches', () => {
  it('is of a lack or a quota only', () => {
    const told = rows.filter(([code]) => scopeOfCode(code) !== undefined).map(([, kind]) => kind);
    expect(new Set(told)).toEqual(new Set(['provider.capacity', 'provider.quota']));
  });

  it.each([
    ['InsufficientInstanceCapacity', { instanceType: 'm5.large', subnetId: 'subnet-1' }],
    ['InsufficientFreeAddressesInSubnet', { subnetId: 'subnet-1' }],
    ['MaxSpotInstanceCountExceeded', {}],
    ['VcpuLimitExceeded', { instanceType: 'm5.large' }],
  ])('of %s is about %j', (code, about) => {
    const offering = { market: 'spot', instanceType: 'm5.large', subnetId: 'subnet-1' } as const;
    const { seenAt, expiresAt, ...lesson } = lessonOf(offering, { code }, 1000) ?? {};
    expect([seenAt, Number(expiresAt) > 1000, lesson]).toEqual([1000, true, { market: 'spot', ...about, code }]);
  });

  it('of a placement group that is full is nothing: other templates get the type', () => {
    const offering = { market: 'ondemand', instanceType: 'm5.large', subnetId: 'subnet-1' } as const;
    const code = 'InsufficientInstanceCapacity';
    const message = 'You have reached the maximum number of instances per zone in a spread placement group.';
    expect(lessonOf(offering, { code, message }, 1000)).toBeUndefined();
    expect(lessonOf(offering, { code, message: 'We currently do not have sufficient capacity' }, 1000)).toBeDefined();
  });

  it.each(['InvalidAMIID.NotFound', 'UnauthorizedOperation', ''])('of %j is nothing', (code) =>
    expect(lessonOf({ market: 'spot', instanceType: 'm5.large' }, { code }, 1000)).toBeUndefined(),
  );
});

describe('the code in a text of AWS’s', () => {
  it.each([
    ['Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more', 'VcpuLimitExceeded'],
    ['Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill.', 'UnfulfillableCapacity'],
    ['Unsupported - Your requested instance type is not supported', 'Unsupported'],
    ['Client.VolumeLimitExceeded: Volume limit exceeded. Launching EC2 instance failed.', 'Client.VolumeLimitExceeded'],
    ['{"instanceType":"m5.large","errorCode":"InsufficientVolumeCapacity"}', 'InsufficientVolumeCapacity'],
    ['m5.large: InvalidAMIID.NotFound, then InsufficientInstanceCapacity', 'InsufficientInstanceCapacity'],
    ['The image id is wrong. InvalidAMIID.NotFound', 'InvalidAMIID.NotFound'],
    ['We currently do not have sufficient m5.large capacity. Unsupported things happen.', undefined],
    ['', undefined],
  ])('%j is %s', (text, code) => expect(codeIn(text)).toBe(code));
});
