import { randomBytes } from 'node:crypto';
import { type Action, action, isoTime, ownerId, required } from './ec2/action.ts';
import { ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

const user = `arn:aws:iam::${ownerId}:user/emulated`;
const defaultSeconds = 3600;

/** The ARN of whom an access key is of: a session of a role, or else the one user there is. */
export const identityOf = ({ sessions }: World, accessKeyId: string): string => sessions.get(accessKeyId)?.arn ?? user;

const accountOf = (arn: string): string => arn.split(':')[4] ?? ownerId;

const getCallerIdentity = action('', (world, _params, caller) => {
  const Arn = identityOf(world, caller);
  return { Arn, UserId: 'AIDAEMULATED', Account: accountOf(Arn) };
});

const assumeRole = action('RoleArn RoleSessionName ExternalId DurationSeconds', (world, params, caller) => {
  const role = required(params.text('RoleArn'), 'RoleArn');
  const session = required(params.text('RoleSessionName'), 'RoleSessionName');
  const wanted = Object.hasOwn(world.settings.roles, role) ? world.settings.roles[role] : undefined;
  if (wanted === undefined || (wanted !== '' && wanted !== params.text('ExternalId'))) {
    const who = identityOf(world, caller);
    throw new ServiceError(
      'AccessDenied',
      `User: ${who} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
    );
  }
  const arn = `arn:aws:sts::${accountOf(role)}:assumed-role/${role.replace(/^.*\//, '')}/${session}`;
  const AccessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const token = randomBytes(24).toString('base64');
  const endsAt = world.now() + (params.number('DurationSeconds') ?? defaultSeconds) * 1000;
  world.sessions.set(AccessKeyId, { arn, token, endsAt });
  return {
    Credentials: {
      AccessKeyId,
      SecretAccessKey: randomBytes(30).toString('base64'),
      SessionToken: token,
      Expiration: isoTime(endsAt),
    },
    AssumedRoleUser: { AssumedRoleId: `AROAEMULATED:${session}`, Arn: arn },
  };
});

export const stsActions: ReadonlyMap<string, Action> = new Map([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
]);
