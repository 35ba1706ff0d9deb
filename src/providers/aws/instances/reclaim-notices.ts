import type { InstanceStatus, SpotInstanceRequest } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../services/ec2.ts';
import type { Remember } from '../wire/credentials.ts';

/** EC2's warning time for spot instances, ms. */
const spotWarning = 120_000;

/** Status codes of spot requests whose instance is going. The codes of instances that are gone are seen in the instance. */
const goingCodes = ['marked-for-termination', 'marked-for-stop'];

/** Scheduled events that end an instance; reboots do not. */
const endingEvents = ['instance-retirement', 'instance-stop'];
/** Retirements are announced days ahead: looked up so often. */
const eventsLifetime = 5 * 60_000;

const dueOf = ({ InstanceId, Status }: SpotInstanceRequest): readonly (readonly [string, number])[] =>
  InstanceId === undefined ? [] : [[InstanceId, (Status?.UpdateTime?.getTime() ?? 0) + spotWarning]];

/** EC2 leaves events that are over in the list and marks them in words. */
const isAhead = (description = ''): boolean => !/^\[(Completed|Canceled)\]/.test(description);

const endOf = ({ InstanceId, Events = [] }: InstanceStatus): readonly (readonly [string, number])[] => {
  const ends = Events.filter(({ Code = '', Description }) => endingEvents.includes(Code) && isAhead(Description));
  const [first] = ends.map(({ NotBefore }) => NotBefore?.getTime() ?? 0).sort((a, b) => a - b);
  return InstanceId === undefined || first === undefined ? [] : [[InstanceId, first]];
};

/** EC2: results per page. */
const pageSize = 1000;

export const readSpotNotices = async (ec2: Ec2): Promise<ReadonlyMap<string, number>> => {
  const Filters = [{ Name: 'status-code', Values: goingCodes }];
  const requests = await ec2.readAll(
    'DescribeSpotInstanceRequests',
    { Filters, MaxResults: pageSize },
    ({ SpotInstanceRequests }) => SpotInstanceRequests,
  );
  return new Map(requests.flatMap(dueOf));
};

const scheduledEvents = (ec2: Ec2): Promise<readonly InstanceStatus[]> => {
  const Filters = [{ Name: 'event.code', Values: endingEvents }];
  return ec2.readAll(
    'DescribeInstanceStatus',
    { Filters, MaxResults: pageSize },
    ({ InstanceStatuses }) => InstanceStatuses,
  );
};

const parseEvents = (text: string): ReadonlyMap<string, number> => {
  const pairs: unknown = JSON.parse(text);
  return new Map(Array.isArray(pairs) ? pairs.map((pair: unknown) => toPair(pair)) : []);
};

const toPair = (pair: unknown): readonly [string, number] => {
  const [id, due]: readonly unknown[] = Array.isArray(pair) ? pair : [];
  return [String(id), Number(due)];
};

export const readRetirements = async (ec2: Ec2, remember: Remember): Promise<ReadonlyMap<string, number>> =>
  parseEvents(
    await remember(
      'scheduled-events',
      () => eventsLifetime,
      async () => JSON.stringify((await scheduledEvents(ec2)).flatMap(endOf)),
    ),
  );
