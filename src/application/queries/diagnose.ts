import type { PluginError } from '../../domain/errors.ts';
import { type Check, type Diagnosis, findingCodes } from '../../domain/finding.ts';
import type { Template } from '../../domain/template/template.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, texts, thing, words } from '../bus/shapes.ts';
import {
  checkGroups,
  checkLaunchTemplates,
  checkOrphans,
  checkPrices,
  checkProtection,
  checkRecords,
  checkTemplates,
  type DiagnosisCheckPorts,
} from '../diagnosis/checks.ts';
import { faultFinding } from '../diagnosis/fault-cures.ts';
import type { Progress } from '../ports/telemetry.ts';
import type { TemplateCatalog } from '../ports/templates.ts';

export const diagnose = defineOperation({
  name: 'Diagnose',
  bus: 'query',
  role: 'admin',
  title: 'Check everything that Host Factory’s calls depend on',
  input: { aws: { ...flag, description: 'Ask AWS too; the default' } },
  answer: closed({
    isWell: flag,
    diagnoses: listOf(
      closed(
        {
          subject: words,
          status: { enum: ['ok', 'warning', 'error'] },
          what: words,
          code: { enum: [...findingCodes], description: 'Of what is not ok' },
          why: words,
          cure: { ...words, description: 'The one command or step to take next' },
          fix: {
            ...closed({ does: { enum: ['chmod', 'remove-socket'] }, paths: texts, mode: words }, ['mode']),
            description: 'What hf-aws doctor --fix does to cure it',
          },
        },
        ['code', 'why', 'cure', 'fix'],
      ),
    ),
    iamPolicy: { ...thing, description: 'The smallest IAM policy for the configured templates' },
    iamPolicyNotes: { ...texts, description: 'What the policy cannot know' },
  }),
});

/** What AWS is asked. Without an answer to the first, the others are in vain. */
export interface AwsChecks {
  readonly reach: Check;
  readonly others: readonly Check[];
}

export interface DiagnosePorts extends DiagnosisCheckPorts {
  /** Looks at this host: at everything but AWS. */
  readonly hostChecks: () => Promise<readonly Check[]>;
  readonly awsChecks: (templates: readonly Template[]) => Promise<AwsChecks>;
  /** What helps against a fault of AWS's. */
  readonly cureOfAws: (fault: PluginError) => Promise<string>;
  /** Whether it is known how to ask AWS. */
  readonly asksAws: boolean;
  readonly iamPolicy: (templates: readonly Template[]) => Promise<{ policy: object; notes: readonly string[] }>;
  readonly templates: TemplateCatalog;
  readonly progress: Progress | undefined;
}

/** Milliseconds that one check may take. */
export interface CheckTimes {
  readonly host: number;
  readonly aws: number;
}

const usualTimes: CheckTimes = { host: 10_000, aws: 60_000 };

const late = (subject: string, status: 'error' | 'warning', ms: number): Diagnosis => ({
  subject,
  status,
  code: 'check.late',
  what: `no answer within ${ms / 1000} s; nothing else waited for it`,
  why: 'what hangs here hangs in the calls of Host Factory too',
  cure: 'look for a file system or host that does not answer: df tells the first, hf-aws config show what is asked',
});

/** What comes of it in time, ms; else `instead`. */
const within = async <T>(ms: number, work: Promise<T>, instead: T): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(instead), ms);
  });
  return Promise.race([work, end]).finally(() => clearTimeout(timer));
};

/** Does checks side by side; one that fails, or takes too long, is a finding among the others. */
const createRun = ({ cureOfAws, progress }: Pick<DiagnosePorts, 'cureOfAws' | 'progress'>) => {
  let [begun, done] = [0, 0];
  return async (
    checks: readonly Check[],
    ms: number,
    whenLate: 'error' | 'warning' = 'error',
  ): Promise<readonly Diagnosis[]> => {
    begun += checks.length;
    const running = new Set(checks.map(({ subject }) => subject));
    const report = (last = ''): void => progress?.([...running].join(', ') || last, done, begun);
    report();
    const one = async ({ subject, look }: Check): Promise<readonly Diagnosis[]> => {
      const found = look().catch(async (fault: unknown) => [await faultFinding(subject, fault, cureOfAws)]);
      const diagnoses = await within<readonly Diagnosis[]>(ms, found, [late(subject, whenLate, ms)]);
      done++;
      running.delete(subject);
      report(subject);
      return diagnoses;
    };
    return (await Promise.all(checks.map(one))).flat();
  };
};

const statuses = ['error', 'warning', 'ok'] as const;

/** What blocks most first; the good news last, as it was looked for. */
const ranked = (diagnoses: readonly Diagnosis[]): readonly Diagnosis[] => {
  const rank = (each: Diagnosis): number =>
    statuses.indexOf(each.status) * findingCodes.length + (each.status === 'ok' ? 0 : findingCodes.indexOf(each.code));
  return diagnoses.toSorted((a, b) => rank(a) - rank(b));
};

/** Looks at everything that has to be right for Host Factory's calls to work. Changes nothing. */
export const diagnoseHandler =
  (ports: DiagnosePorts, times: CheckTimes = usualTimes): HandlerOf<typeof diagnose> =>
  async ({ aws: isAsked = true }) => {
    const { hostChecks, templates } = ports;
    const run = createRun(ports);
    const reading = templates.read().then(
      (found) => found.templates,
      () => [],
    );
    const found = [
      ...(await run(
        [
          ...(await hostChecks()),
          { subject: 'templates', look: () => checkTemplates(templates) },
          { subject: 'protection', look: async () => checkProtection(await reading, ports) },
          { subject: 'prices', look: async () => checkPrices(await reading, ports) },
          { subject: 'records', look: () => checkRecords(ports) },
        ],
        times.host,
      )),
    ];
    const served = await within(0, reading, []);
    if (isAsked && ports.asksAws) {
      const checks = await ports.awsChecks(served).catch((fault: unknown) => ({
        reach: { subject: 'AWS', look: (): Promise<readonly Diagnosis[]> => Promise.reject(fault) },
        others: [],
      }));
      const reached = await run([checks.reach], times.aws);
      found.push(...reached);
      const others: readonly Check[] = [
        ...checks.others,
        { subject: 'groups', look: () => checkGroups(served, ports) },
        { subject: 'leftovers', look: () => checkLaunchTemplates(ports) },
        { subject: 'orphans', look: () => checkOrphans(ports) },
      ];
      if (reached.every(({ status }) => status !== 'error')) found.push(...(await run(others, times.aws, 'warning')));
    }
    if (isAsked && !ports.asksAws)
      found.push({
        subject: 'AWS',
        status: 'error',
        code: 'configuration.invalid',
        what: 'not checked, because the configuration cannot be read',
        why: 'what is wrong beyond it is not known yet',
        cure: 'correct the configuration, then hf-aws doctor again',
      });
    const diagnoses = ranked(found);
    const isWell = diagnoses.every(({ status }) => status !== 'error');
    const { policy, notes } = await ports.iamPolicy(served);
    return { isWell, diagnoses, iamPolicy: policy, iamPolicyNotes: notes };
  };
