import type { CapacityReservation } from '@aws-sdk/client-ec2';
import type { Complaint } from '../../../domain/finding.ts';
import { type Template, weightedTypes } from '../../../domain/template/template.ts';

const error = (rule: string): Complaint => ({ severity: 'error', field: 'capacityReservation', rule });
const warning = (rule: string): Complaint => ({ severity: 'warning', field: 'capacityReservation', rule });

/** A reservation that ends within this time is worth a word, ms. */
const soon = 7 * 24 * 3_600_000;

type Review = (reservation: CapacityReservation, template: Template) => readonly Complaint[];

/** A block that was bought is `scheduled` until it begins. */
const state: Review = ({ CapacityReservationId: id, State = 'unknown' }) => {
  if (State === 'active') return [];
  if (State === 'scheduled' || State === 'pending')
    return [warning(`${id} is ${State}: nothing is launched before it is active`)];
  return [error(`${id} is ${State}`)];
};

const kind: Review = ({ CapacityReservationId: id, ReservationType = 'default' }, { marketType = 'default' }) => {
  if (ReservationType === marketType) return [];
  return ReservationType === 'capacity-block'
    ? [error(`${id} is a Capacity Block: write marketType capacity-block`)]
    : [error(`${id} is not a Capacity Block, though marketType says so`)];
};

const type: Review = ({ CapacityReservationId: id, InstanceType = '' }, template) => {
  const types = weightedTypes(template).map(([name]) => name);
  const others = types.filter((name) => name !== InstanceType);
  if (others.length === 0) return [];
  const text = `${id} is for ${InstanceType}; ${others.join(', ')} is not launched in it`;
  return [others.length === types.length ? error(text) : warning(text)];
};

const tenancy: Review = ({ CapacityReservationId: id, Tenancy = 'default' }, template) =>
  Tenancy === (template.tenancy ?? 'default')
    ? []
    : [error(`${id} is of tenancy ${Tenancy}, the template of ${template.tenancy ?? 'default'}`)];

const size: Review = (reservation, template) => {
  const { CapacityReservationId: id, State, AvailableInstanceCount = 0, TotalInstanceCount = 0 } = reservation;
  if (State !== 'active') return [];
  const counts = `${AvailableInstanceCount} of its ${TotalInstanceCount} places free`;
  if (template.maxNumber > TotalInstanceCount)
    return [warning(`${id} has ${counts}, for maxNumber ${template.maxNumber}`)];
  return AvailableInstanceCount === 0 ? [warning(`${id} has ${counts}`)] : [];
};

const zoneComplaints = (
  { CapacityReservationId: id, AvailabilityZone: zone = '' }: CapacityReservation,
  zones: Readonly<Record<string, string>>,
): readonly Complaint[] => {
  const elsewhere = Object.entries(zones).filter(([, each]) => each !== zone);
  if (elsewhere.length === 0) return [];
  const text = `${id} is in ${zone}; ${elsewhere.map(([subnet, each]) => `${subnet} is in ${each}`).join(', ')}`;
  return [elsewhere.length === Object.keys(zones).length ? error(text) : warning(text)];
};

/** AWS ends the instances of a Capacity Block half an hour before its end; those of other reservations live on. */
const endComplaints = (
  { CapacityReservationId: id, EndDate }: CapacityReservation,
  now: number,
): readonly Complaint[] => {
  if (EndDate === undefined || EndDate.getTime() - now > soon) return [];
  return [warning(`${id} ends at ${EndDate.toISOString()}`)];
};

/** What is wrong with a reservation that a template names; `zones` by subnet. */
export const reservationComplaints = (
  reservation: CapacityReservation,
  template: Template,
  zones: Readonly<Record<string, string>>,
  now: number,
): readonly Complaint[] => [
  ...[state, kind, type, tenancy, size].flatMap((review) => review(reservation, template)),
  ...zoneComplaints(reservation, zones),
  ...endComplaints(reservation, now),
];
