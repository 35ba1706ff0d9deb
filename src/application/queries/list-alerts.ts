import { localTime } from '../../domain/time-text.ts';
import { closed, type FromSchema, listOf, named } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { texts, time, words } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, SweepMemory } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { ReadModel } from '../ports/read-model.ts';
import type { MetricValues } from '../ports/telemetry.ts';
import { isCapacityRow } from '../read-model/capacity-series.ts';
import { isoTime } from '../read-model/iso-times.ts';
import { metricName } from '../read-model/metric-values.ts';
import { refusalStreaks } from '../read-model/refusal-streak.ts';

/** What of our records somebody should hear of. */
const recordedConditions = ['template.protected', 'host-factory.silent', 'capacity.refused', 'orphans.found'] as const;

const minutes = { type: 'integer', minimum: 0, maximum: 10_080 } as const;

const alert = closed({
  condition: { enum: recordedConditions },
  subject: { ...words, description: 'The template; empty where it is about the provider as a whole' },
  summary: { ...words, description: 'For people' },
  since: time,
});

export const listAlerts = defineOperation({
  name: 'ListAlerts',
  bus: 'query',
  role: 'viewer',
  title:
    'What somebody should hear of: protected templates, silence of Host Factory, capacity refused for long, orphans',
  input: {
    silentMinutes: { ...minutes, description: 'Silence of Host Factory that counts; default 10, 0 never' },
    refusedMinutes: { ...minutes, description: 'Time of refusals that counts; default 30, 0 never' },
  },
  answer: closed({ alerts: listOf(named('Alert', alert)), warnings: texts }),
});

export type Alert = FromSchema<typeof alert>;

export interface ListAlertsPorts {
  readonly readModel: Pick<ReadModel, 'read'>;
  readonly failures: Pick<LaunchFailures, 'of' | 'templateIds'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
  readonly memory: Pick<SweepMemory, 'read'>;
  readonly usage: () => Promise<MetricValues>;
  readonly clock: Clock;
}

const minute = 60_000;

const ofProtection = async ({ failures, policy, clock }: ListAlertsPorts): Promise<readonly Alert[]> => {
  const noted = (await failures.templateIds()).map(async (subject) => ({ subject, ...(await failures.of(subject)) }));
  return (await Promise.all(noted)).flatMap(({ subject, machineIds, age }) => {
    if (!isProtected(policy, { machineIds, age })) return [];
    const summary = `Template ${subject} launches nothing: its last ${machineIds.length} machines died or never became usable. hf-aws offerings clear --template ${subject} lets it try again.`;
    return [{ condition: 'template.protected', subject, summary, since: isoTime(clock() - age) }];
  });
};

const scripts = [
  ...['getAvailableTemplates', 'requestMachines', 'getRequestStatus'],
  ...['requestReturnMachines', 'getReturnRequests'],
];

/** None where it has never called: then it was not set up yet. */
const ofSilence = async ({ usage, clock }: ListAlertsPorts, silent: number): Promise<readonly Alert[]> => {
  const values = await usage();
  const calls = scripts.map((entry) => values[metricName('last_call_timestamp_seconds', { entry })] ?? 0);
  const last = Math.max(...calls) * 1000;
  if (silent === 0 || last === 0 || clock() - last < silent) return [];
  const summary = `Host Factory has called no script since ${localTime(last)}.`;
  return [{ condition: 'host-factory.silent', subject: '', summary, since: isoTime(last) }];
};

const ofRefusals = (rows: readonly string[], now: number, refused: number): readonly Alert[] => {
  if (refused === 0) return [];
  const parsed = rows.map((row): unknown => JSON.parse(row)).filter(isCapacityRow);
  return refusalStreaks(parsed, now, refused)
    .filter(({ since }) => now - since >= refused)
    .map(({ templateId, since, refusals, codes }) => ({
      condition: 'capacity.refused',
      subject: templateId,
      summary: `AWS has refused capacity of template ${templateId} since ${localTime(since)}, ${refusals} times: ${codes.slice(0, 3).join(', ')}.`,
      since: isoTime(since),
    }));
};

const ofOrphans = async ({ memory }: ListAlertsPorts): Promise<readonly Alert[]> => {
  const { orphans } = await memory.read();
  if (orphans.size === 0) return [];
  const ids = [...orphans.keys()].sort();
  const more = ids.length > 5 ? ` and ${ids.length - 5} more` : '';
  const summary = `The sweep has found what belongs to no request: ${ids.slice(0, 5).join(', ')}${more}. hf-aws reconcile tells about each.`;
  return [{ condition: 'orphans.found', subject: '', summary, since: isoTime(Math.min(...orphans.values())) }];
};

/** From our own records: AWS is not asked. */
export const listAlertsHandler =
  (ports: ListAlertsPorts): HandlerOf<typeof listAlerts> =>
  async ({ silentMinutes = 10, refusedMinutes = 30 }) => {
    const { rows, warnings } = await ports.readModel.read('capacity');
    const alerts = [
      ...(await ofProtection(ports)),
      ...(await ofSilence(ports, silentMinutes * minute)),
      ...ofRefusals(rows, ports.clock(), refusedMinutes * minute),
      ...(await ofOrphans(ports)),
    ];
    return { alerts, warnings };
  };
