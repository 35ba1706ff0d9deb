import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Diagnosis } from '../../domain/finding.ts';
import type { Template } from '../../domain/template/template.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, texts, thing, words } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { TemplateCatalog, TemplateInspector } from '../ports/templates.ts';
import { findingsOf } from '../sweep/findings.ts';
import { lookForForgotten, type SweepLookPorts } from '../sweep/look.ts';
import { type LaunchTemplatePorts, unusedLaunchTemplates } from '../sweep/unused-launch-templates.ts';

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
          why: words,
          mend: words,
          cure: {
            ...closed({ does: { enum: ['chmod', 'remove-socket'] }, path: words, mode: words }, ['mode']),
            description: 'What hf-aws doctor --fix does to cure it',
          },
        },
        ['why', 'mend', 'cure'],
      ),
    ),
    iamPolicy: { ...thing, description: 'The smallest IAM policy for the configured templates' },
    iamPolicyNotes: { ...texts, description: 'What the policy cannot know' },
  }),
});

export interface DiagnosePorts extends LaunchTemplatePorts, SweepLookPorts {
  /** Looks at this host: at everything but AWS. */
  readonly checkHost: readonly (() => Promise<readonly Diagnosis[]>)[];
  readonly checkAws: (templates: readonly Template[]) => Promise<readonly Diagnosis[]>;
  /** Whether it is known how to ask AWS. */
  readonly asksAws: boolean;
  readonly iamPolicy: (templates: readonly Template[]) => Promise<{ policy: object; notes: readonly string[] }>;
  readonly inspector: () => Promise<Pick<TemplateInspector, 'inspectGroup'>>;
  /** Of each record that cannot be read, why. */
  readonly unreadable: () => Promise<readonly string[]>;
  readonly templates: TemplateCatalog;
  readonly failures: Pick<LaunchFailures, 'of'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor' | 'unclaimed' | 'orphanAge'>;
  readonly clock: Clock;
}

/** What helps, by our codes and AWS's action. */
const mends: readonly (readonly [code: RegExp, mend: string])[] = [
  [/^configuration\.missing/, 'hf-aws init'],
  [
    /^(configuration|template)\./,
    'correct the file at the place named here; hf-aws templates validate lists all problems',
  ],
  [/^storage\.unreadable/, 'give the file back to the user that runs Host Factory, or restore it from a backup'],
  [/^storage\./, 'make the work folder writable for the user that runs Host Factory'],
  [
    /^provider\.denied AssumeRole/,
    'change the trust policy of the role or the policy of the caller, as the message says',
  ],
  [/^provider\.denied/, 'attach the policy that hf-aws doctor --iam-policy prints'],
  [/^provider\.throttled/, 'wait a minute and run doctor again'],
  [/^provider\./, 'run doctor again; if it stays, compare hf-aws config show with what AWS says'],
];

const mendOf = (error: unknown): string => {
  const code = isPluginError(error) ? `${error.code} ${error.aws?.action ?? ''}` : 'internal';
  return (
    mends.find(([pattern]) => pattern.test(code))?.[1] ?? 'report it to the maintainers of this program, with the log'
  );
};

/** A look that fails is one finding among the others. */
const unlessFault = async (subject: string, look: () => Promise<readonly Diagnosis[]>): Promise<readonly Diagnosis[]> =>
  look().catch((error: unknown) => [{ subject, status: 'error', what: messageOf(error), mend: mendOf(error) }]);

const templatesOf = async (catalog: TemplateCatalog): Promise<readonly Diagnosis[]> => {
  const { file, templates, rejected } = await catalog.read();
  const subject = 'templates';
  const served = `${templates.length} served from ${file}`;
  if (rejected.length === 0 && templates.length > 0) return [{ subject, status: 'ok', what: served }];
  return [
    {
      subject,
      status: templates.length === 0 ? 'error' : 'warning',
      what: `${served}, ${rejected.length} left out: ${rejected.map(({ templateId }) => templateId).join(', ')}`,
      why: 'Host Factory is not offered a template that is left out; without any template it disables the provider',
      mend: 'hf-aws templates validate',
    },
  ];
};

/** Milliseconds. */
const aMonth = 30 * 86_400_000;

const leftovers = (count: number): readonly Diagnosis[] => [
  count === 0
    ? { subject: 'leftovers', status: 'ok', what: 'no unused launch templates of ours' }
    : {
        subject: 'leftovers',
        status: 'warning',
        what: `${count} of our launch templates were not used for a month`,
        why: 'an account may have 5,000 in a Region',
        mend: 'hf-aws launch-templates gc --apply',
      },
];

/** What runs at AWS and nobody will ask about. */
const orphans = async (ports: DiagnosePorts): Promise<readonly Diagnosis[]> => {
  const found = await lookForForgotten(ports);
  const { findings } = findingsOf(found, [], ports.policy);
  const subject = 'orphans';
  const ids = findings.filter(({ verdict }) => verdict !== 'leave').map(({ id }) => id);
  const unseen = found.warnings.map(
    (what): Diagnosis => ({
      subject,
      status: 'warning',
      what: `not everything could be checked: ${what}`,
      why: 'what could not be checked stays as it is, and costs money if it is leaked',
    }),
  );
  if (ids.length === 0 && unseen.length > 0) return unseen;
  if (ids.length === 0) return [{ subject, status: 'ok', what: 'no leaked machines, fleets or groups' }];
  return [
    {
      subject,
      status: 'warning',
      what: `${ids.length} leaked (our tag, no live request): ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}`,
      why: 'they cost money; the sweep after getReturnRequests releases them when they are due',
      mend: 'hf-aws reconcile, then hf-aws reconcile --apply',
    },
    ...unseen,
  ];
};

const records = (unreadable: readonly string[]): readonly Diagnosis[] => {
  const [first] = unreadable;
  if (first === undefined) return [];
  return [
    {
      subject: 'records',
      status: 'error',
      what: `${unreadable.length} of the requests cannot be read: ${first}`,
      why: 'until they can be read, Host Factory is told that they are running, and their machines are left alone',
      mend: 'give the file back to the user that runs Host Factory, or restore it from a backup',
    },
  ];
};

/** Templates out of use, since their last machines all failed. */
const protection = async (
  templates: readonly Template[],
  { failures, policy }: Pick<DiagnosePorts, 'failures' | 'policy'>,
): Promise<readonly Diagnosis[]> => {
  const found: Diagnosis[] = [];
  for (const { templateId } of templates) {
    const noted = await failures.of(templateId);
    if (!isProtected(policy, noted)) continue;
    const minutes = Math.ceil((policy.protectFor - noted.age) / 60_000);
    found.push({
      subject: 'protection',
      status: 'warning',
      what: `template ${templateId} launches nothing for ${minutes} min`,
      why: `its last ${noted.machineIds.length} machines died or never became usable: more of them would only cost money`,
      mend: `hf-aws events list shows what happened to them; once the cause is fixed: hf-aws offerings clear --template ${templateId}`,
    });
  }
  return found;
};

/** The groups of the administrator's that templates name. */
const groups = async (
  templates: readonly Template[],
  inspector: DiagnosePorts['inspector'],
): Promise<readonly Diagnosis[]> => {
  const named = templates.filter(({ autoScalingGroupName }) => autoScalingGroupName !== undefined);
  if (named.length === 0) return [];
  const { inspectGroup } = await inspector();
  const subject = 'groups';
  const found: Diagnosis[] = [];
  for (const template of named) {
    for (const { severity: status, rule } of await inspectGroup(template))
      found.push({
        subject,
        status,
        what: `${template.templateId}: ${rule}`,
        why: 'Host Factory does not hear of machines that the group starts or ends by itself',
        mend: 'change the group as the message says',
      });
  }
  return found.length > 0
    ? found
    : [{ subject, status: 'ok', what: 'the Auto Scaling groups named by templates are suitable' }];
};

/** Looks at everything that has to be right for Host Factory's calls to work. Changes nothing. */
export const diagnoseHandler =
  (ports: DiagnosePorts): HandlerOf<typeof diagnose> =>
  async ({ aws: isAsked = true }) => {
    const { checkHost, templates, inspector } = ports;
    const diagnoses = [...(await Promise.all(checkHost.map((look) => unlessFault('this host', look)))).flat()];
    const note = async (subject: string, look: () => Promise<readonly Diagnosis[]>): Promise<void> => {
      diagnoses.push(...(await unlessFault(subject, look)));
    };
    await note('templates', () => templatesOf(templates));
    const served = await templates.read().then(
      (reading) => reading.templates,
      () => [],
    );
    await note('protection', () => protection(served, ports));
    await note('records', async () => records(await ports.unreadable()));
    if (isAsked && ports.asksAws) {
      const found = await unlessFault('AWS', () => ports.checkAws(served));
      diagnoses.push(...found);
      const isReached = found.every(({ status }) => status !== 'error');
      if (isReached) {
        await note('groups', () => groups(served, inspector));
        await note('leftovers', async () => {
          const { unused } = await unusedLaunchTemplates(ports, ports.clock() - aMonth);
          return leftovers(unused.length);
        });
        await note('orphans', () => orphans(ports));
      }
    }
    if (isAsked && !ports.asksAws)
      diagnoses.push({
        subject: 'AWS',
        status: 'error',
        what: 'not checked, because the configuration cannot be read',
      });
    const isWell = diagnoses.every(({ status }) => status !== 'error');
    const { policy, notes } = await ports.iamPolicy(served);
    return { isWell, diagnoses, iamPolicy: policy, iamPolicyNotes: notes };
  };
