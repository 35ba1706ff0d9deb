import { isPluginError } from '../../domain/errors.ts';
import { hasEnded } from '../../domain/machine.ts';
import type { KnownRequest } from '../../domain/request/state.ts';
import type { Template } from '../../domain/template/template.ts';
import { changesBetween, effectOf, type ValueChange } from '../../domain/template/template-change.ts';
import { withoutEffect } from '../../domain/template/template-review.ts';
import { closed, type FromSchema, listOf, named } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, rejectedTemplate, text, texts, words } from '../bus/shapes.ts';
import { eachStream, foldRequest } from '../life-cycle/streams.ts';
import type { CapacityLedger, StreamReader } from '../ports/streams.ts';
import type { TemplateCatalog } from '../ports/templates.ts';

const change = closed(
  {
    field: { ...words, description: 'Its path, e.g. `attributes.ncores`' },
    before: { description: 'Absent where there was none' },
    now: { description: 'Absent where there is none' },
    effect: { ...words, description: 'What the change does' },
  },
  ['before', 'now'],
);

export const diffTemplates = defineOperation({
  name: 'DiffTemplates',
  bus: 'query',
  role: 'viewer',
  title: 'Compare a templates file with the one in effect and with what running requests go by',
  input: { file: { ...text, description: 'A file that is to take the place of the configured one' } },
  answer: named(
    'TemplateDiff',
    closed(
      {
        file: words,
        against: { ...words, description: 'The file in effect, where another is compared with it' },
        templates: listOf(
          closed({
            templateId: words,
            change: { enum: ['added', 'removed', 'changed', 'faulty'] },
            effect: { ...words, description: 'Of the whole' },
            fields: listOf(change),
            running: listOf(
              closed({
                requests: texts,
                machines: { ...number, description: 'That have not ended' },
                fields: { ...listOf(change), description: 'What these requests go by, where that is another value' },
              }),
            ),
          }),
        ),
        rejected: listOf(rejectedTemplate),
        warnings: texts,
      },
      ['against'],
    ),
  ),
});

export type DiffTemplatesAnswer = FromSchema<typeof diffTemplates.answer>;
type TemplateChange = DiffTemplatesAnswer['templates'][number];

export interface DiffTemplatesPorts {
  readonly templates: TemplateCatalog;
  /** The same of another file. */
  readonly templatesIn: (file: string) => ReturnType<TemplateCatalog['read']>;
  readonly live: Pick<CapacityLedger, 'list'>;
  readonly streams: Pick<StreamReader, 'loadAll'>;
}

interface Running {
  readonly requestId: string;
  readonly template: Template;
  readonly machines: number;
  readonly units: number;
}

const living = ({ machines }: KnownRequest): number =>
  [...machines.values()].filter(({ state }) => !hasEnded(state)).length;

/** Requests that hold capacity, with the template that each keeps. A record that cannot be read becomes a warning. */
const runningOnes = async ({ live, streams }: DiffTemplatesPorts) => {
  const running: Running[] = [];
  const warnings: string[] = [];
  const units = new Map((await live.list()).map((claim) => [claim.requestId, claim.units]));
  for await (const [requestId, stream] of eachStream(streams, units.keys())) {
    const request = isPluginError(stream) ? undefined : foldRequest(stream);
    if (request === undefined) warnings.push(`the records of ${requestId} cannot be read`);
    else if (request.stage !== 'absent') {
      const held = { machines: living(request), units: units.get(requestId) ?? 0 };
      running.push({ requestId, template: request.template, ...held });
    }
  }
  return { running, warnings };
};

/** Requests by what they go by, where that differs from the template. */
const groupsOf = (running: readonly Running[], now: Template | undefined): TemplateChange['running'] => {
  const groups = new Map<string, { requests: string[]; machines: number; changes: readonly ValueChange[] }>();
  for (const { requestId, template, machines } of running) {
    const changes = now === undefined ? [] : changesBetween(template, now);
    const key = JSON.stringify(changes);
    const group = groups.get(key) ?? { requests: [], machines: 0, changes };
    group.requests.push(requestId);
    group.machines += machines;
    groups.set(key, group);
  }
  return [...groups.values()].map(({ requests, machines, changes }) => ({
    requests,
    machines,
    fields: changes.map((each) => ({ ...each, effect: 'goes for new requests; these keep what they have' })),
  }));
};

const held = (running: readonly Running[]): string => {
  const machines = running.reduce((sum, each) => sum + each.machines, 0);
  const [noun, verb] = running.length === 1 ? ['request', 'goes'] : ['requests', 'go'];
  return running.length === 0
    ? 'nothing runs of it'
    : `its ${running.length} running ${noun} with ${machines} ${machines === 1 ? 'machine' : 'machines'} ${verb} on unchanged, and returns work`;
};

const fieldChanges = (changes: readonly ValueChange[], template: Template, units: number): TemplateChange['fields'] => {
  const idle = new Map(withoutEffect(template).map(({ field, rule }) => [field, rule]));
  return changes.map((each) => ({ ...each, effect: idle.get(each.field) ?? effectOf(each, units) }));
};

interface Versions {
  readonly templateId: string;
  readonly before: Template | undefined;
  readonly now: Template | undefined;
  /** Whether it is in the file and cannot be served. */
  readonly isFaulty: boolean;
  readonly running: readonly Running[];
}

/** Nothing where it says the same everywhere. */
const changeOf = ({ templateId, before, now, isFaulty, running }: Versions): readonly TemplateChange[] => {
  const groups = groupsOf(running, now);
  if (now === undefined) {
    const effect = `${isFaulty ? 'has faults and is left out' : 'is no longer offered'}; ${held(running)}`;
    return [{ templateId, change: isFaulty ? 'faulty' : 'removed', effect, fields: [], running: groups }];
  }
  if (before === undefined) {
    const effect = 'is offered by the next getAvailableTemplates';
    return [{ templateId, change: 'added', effect, fields: [], running: groups }];
  }
  const units = running.reduce((sum, each) => sum + each.units, 0);
  const fields = fieldChanges(changesBetween(before, now), now, units);
  const others = groups.filter((each) => each.fields.length > 0);
  if (fields.length + others.length === 0) return [];
  return [{ templateId, change: 'changed', effect: held(running), fields, running: others }];
};

/** What putting a file in place does, template by template, and what already goes by something else. Changes nothing. */
export const diffTemplatesHandler =
  (ports: DiffTemplatesPorts): HandlerOf<typeof diffTemplates> =>
  async ({ file: other }) => {
    const current = await ports.templates.read();
    const next = other === undefined ? current : await ports.templatesIn(other);
    const { running, warnings } = await runningOnes(ports);
    const before = new Map(current.templates.map((each) => [each.templateId, each]));
    const now = new Map(next.templates.map((each) => [each.templateId, each]));
    const faulty = new Set(next.rejected.map(({ templateId }) => templateId));
    const used = running.map(({ template }) => template.templateId);
    const ids = [...new Set([...before.keys(), ...now.keys(), ...faulty, ...used])];
    return {
      file: next.file,
      ...(other === undefined ? {} : { against: current.file }),
      templates: ids.flatMap((templateId) =>
        changeOf({
          templateId,
          before: before.get(templateId),
          now: now.get(templateId),
          isFaulty: faulty.has(templateId),
          running: running.filter(({ template }) => template.templateId === templateId),
        }),
      ),
      rejected: next.rejected,
      warnings,
    };
  };
