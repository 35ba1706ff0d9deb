import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, hosts, texts, time, words } from '../bus/shapes.ts';
import type { IsDue } from '../ports/policy.ts';
import { isoTime } from '../read-model/iso-times.ts';
import { type SweepPorts, sweep } from '../sweep/sweep.ts';

export const reconcile = defineOperation({
  name: 'Reconcile',
  bus: 'command',
  role: 'admin',
  title:
    'Find leaked machines, fleets and groups: they run at AWS but belong to no live request; release them if asked to',
  isHot: true,
  input: {
    apply: { ...flag, description: 'Release what is due; otherwise only list it' },
    nowAndThen: { ...flag, description: 'Do nothing if another sweep began recently' },
    held: { ...hosts, description: 'Hosts the caller holds; they never count as leaked' },
  },
  answer: closed({
    findings: listOf(
      closed({
        kind: { enum: ['request', 'instance', 'LaunchTemplate', 'EC2Fleet', 'SpotFleet', 'ASG'] },
        id: words,
        requestId: { ...words, description: 'Empty if its tags name none' },
        why: words,
        verdict: { enum: ['release', 'wait', 'leave'] },
        since: { ...time, description: 'When it was first found' },
        dueAt: { ...time, description: 'When it may be released' },
      }),
    ),
    released: { ...texts, description: 'Ids of what was released' },
    warnings: { ...texts, description: 'What could not be checked or released, and why' },
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
