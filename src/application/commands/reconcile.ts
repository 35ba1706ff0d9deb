import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, hosts, texts, time, words } from '../bus/shapes.ts';
import type { IsDue } from '../ports/policy.ts';
import { isoTime } from '../read-model/told-times.ts';
import { type SweepPorts, sweep } from '../sweep/sweep.ts';

export const reconcile = defineOperation({
  name: 'Reconcile',
  bus: 'command',
  role: 'admin',
  title: 'Find, and release with apply, what runs at AWS and nobody will ask about',
  isHot: true,
  input: {
    apply: { ...flag, description: 'Release what is due; without it, only look' },
    nowAndThen: { ...flag, description: 'Do nothing when it was begun lately' },
    held: { ...hosts, description: 'Hosts the caller holds: never taken for orphans' },
  },
  answer: closed({
    findings: listOf(
      closed({
        kind: { enum: ['request', 'instance', 'LaunchTemplate', 'EC2Fleet', 'SpotFleet', 'ASG'] },
        id: words,
        requestId: { ...words, description: 'Empty where its tags name none' },
        why: words,
        verdict: { enum: ['release', 'wait', 'leave'] },
        since: { ...time, description: 'When it was first found so' },
        dueAt: { ...time, description: 'When it is old enough to be released' },
      }),
    ),
    released: { ...texts, description: 'Ids of what was released' },
    warnings: { ...texts, description: 'What could not be looked at or released, and why' },
  }),
});

export type ReconcileAnswer = FromSchema<typeof reconcile.answer>;

export interface ReconcilePorts extends SweepPorts {
  readonly isDue: IsDue;
  readonly letCallerGo: () => void;
}

/** A sweep, see there; with `nowAndThen` only where none was begun lately. */
export const reconcileHandler =
  (ports: ReconcilePorts): HandlerOf<typeof reconcile> =>
  async ({ nowAndThen = false, apply = false, held = [] }, origin) => {
    if (nowAndThen) {
      if (!(await ports.isDue('sweep', ports.policy.sweepInterval)))
        return { findings: [], released: [], warnings: [] };
      ports.letCallerGo();
    }
    const { findings, ...rest } = await sweep(ports, { streams: ports.streams, origin }, { apply, held });
    return {
      ...rest,
      findings: findings.map((each) => ({ ...each, since: isoTime(each.since), dueAt: isoTime(each.dueAt) })),
    };
  };
