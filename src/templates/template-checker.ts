import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Node, ParseError } from 'jsonc-parser';
import type { CheckedFile, CheckedTemplate, TemplateChecker } from '../application/ports/templates.ts';
import { candidates, type ProviderEnvironment } from '../config/environment.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import type { Complaint, Finding } from '../domain/finding.ts';
import type { Template, TemplateProblem } from '../domain/template/template.ts';
import { reviewTemplate } from '../domain/template/template-review.ts';
import { closestName } from '../json/closest-name.ts';
import { readPlainFile } from '../json/plain-file.ts';
import { insteadOf } from './fields/read-as.ts';
import { fieldOf, templateFields } from './fields/template-fields.ts';
import type { CatalogFacts } from './template-catalog.ts';
import type { TemplateResult } from './template-document.ts';
import { attributeNames, isObject, nameOf, templatesForm, unknownField } from './template-entry.ts';
import { createJudge, hasGroup } from './template-judge.ts';
import type { TemplateReader } from './template-reader.ts';

type Document = Readonly<Record<string, unknown>>;

const placeOf = (text: string, offset: number): Pick<Finding, 'line' | 'column'> => {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
};

const keyOf = (property: Node): string => String(property.children?.[0]?.value);

/** The value under the first part of a path; keys may hold dots. The last counts where a key occurs twice. */
const step = (
  node: Node,
  path: string,
): { readonly at: Node; readonly value: Node; readonly rest: string } | undefined => {
  const children = node.children ?? [];
  if (node.type === 'array') {
    const [, index = '', rest = ''] = /^(\d+)\.?(.*)$/s.exec(path) ?? [];
    const value = index === '' ? undefined : children[Number(index)];
    return value && { at: value, value, rest };
  }
  const property = children.findLast((each) => path === keyOf(each) || path.startsWith(`${keyOf(each)}.`));
  const value = property?.children?.[1];
  return property && value && { at: property, value, rest: path.slice(keyOf(property).length + 1) };
};

/** The place of a field; of a missing one the object around it. */
const find = (node: Node, path: string): Node => {
  const next = path === '' ? undefined : step(node, path);
  if (next === undefined) return node;
  const inner = find(next.value, next.rest);
  return inner === next.value ? next.at : inner;
};

/** Keys that occur twice in one object: JSON keeps the last, people look at the first. */
const duplicates = (node: Node, path = ''): readonly Complaint[] => {
  const keys = node.type === 'object' ? (node.children ?? []).map(keyOf) : [];
  const own = keys
    .filter((key, index) => keys.indexOf(key) !== index)
    .map(
      (key): Complaint => ({
        severity: 'warning',
        field: `${path}${key}`,
        rule: 'is given twice; the last one counts',
      }),
    );
  const below = (node.children ?? []).flatMap((each) => {
    const [key, value] = each.type === 'property' ? (each.children ?? []) : [];
    return value === undefined ? [] : duplicates(value, `${path}${String(key?.value)}.`);
  });
  return [...own, ...below];
};

const describe = (field: string): Pick<Complaint, 'hint'> => {
  const [top = ''] = field.split('.');
  const known = fieldOf(top);
  return known === undefined ? {} : { hint: known.meaning };
};

const misspeltAttributes = ({ attributes }: Document): readonly Complaint[] => {
  const written = isObject(attributes) ? Object.keys(attributes) : [];
  const absent = attributeNames.filter((name) => !written.includes(name));
  return written
    .filter((name) => !attributeNames.includes(name))
    .flatMap((name): readonly Complaint[] => {
      const closest = closestName(name, absent);
      const rule = 'is an attribute of your own';
      return closest === undefined
        ? []
        : [{ severity: 'warning', field: `attributes.${name}`, rule, hint: `did you mean ${closest}?` }];
    });
};

/** Instances here demand a token of those who read their metadata (IMDSv2); scripts from other plug-ins often have none. */
const tokenless: Complaint = {
  severity: 'warning',
  field: 'userDataScript',
  rule: 'reads instance metadata without a token, which hosts launched here refuse: they may never join',
  hint: 'fetch a token first (PUT /latest/api/token), or write launchTemplateSpec {"MetadataOptions": {"HttpTokens": "optional"}}',
};

const metadata = async ({ userDataScript, launchTemplateSpec = {} }: Template): Promise<readonly Complaint[]> => {
  const text = userDataScript === undefined ? '' : await readFile(userDataScript, 'utf8');
  const isTokenless = text.includes('169.254.169.254') && !/metadata-token/i.test(text);
  const demands = !/"HttpTokens":\s*"optional"/.test(JSON.stringify(launchTemplateSpec));
  return isTokenless && demands ? [tokenless] : [];
};

/** The document without the fields at fault, and what must not be missing from a template. */
const sound = (document: Document, doubtful: readonly string[]): Document => {
  const rest = new Map(Object.entries(document));
  for (const field of doubtful) {
    const [top = '', ...path] = field.split('.');
    const inner = rest.get(top);
    const others = isObject(inner) ? Object.entries(inner).filter(([key]) => key !== path.join('.')) : [];
    if (path.length === 0 || others.length === 0) rest.delete(top);
    else rest.set(top, Object.fromEntries(others));
  }
  const priceType = rest.has('vmTypes') ? 'spot' : 'ondemand';
  const placeholders = { templateId: 'unnamed', maxNumber: 1, subnetId: 'subnet-0' };
  return { ...(doubtful.includes('priceType') ? { priceType } : {}), ...placeholders, ...Object.fromEntries(rest) };
};

const isAbout =
  (fields: readonly string[]) =>
  ({ field }: { readonly field: string }): boolean =>
    fields.some((each) => field === each || field.startsWith(`${each}.`) || each.startsWith(`${field}.`));

const asErrors = (problems: readonly TemplateProblem[]): readonly Complaint[] =>
  problems.map((problem) => ({ severity: 'error', ...problem, ...describe(problem.field) }));

interface Review {
  /** As far as it can be made out. */
  readonly template?: Template;
  readonly complaints: readonly Complaint[];
}

type ReviewTemplate = (template: Template) => Promise<Review>;

/** All findings about a readable template: what keeps the scripts from serving it, and more. */
const createReview = (facts: CatalogFacts): ReviewTemplate => {
  const judge = createJudge(facts);
  return async (template) => {
    const { outside } = await judge(template);
    const isScriptRead = !hasGroup(template) && outside.every(({ field }) => field !== 'userDataScript');
    const complaints = [
      ...reviewTemplate(template, await facts.instanceTypes.table(), facts.rules),
      ...outside,
      ...(isScriptRead ? await metadata(template) : []),
    ];
    return { template, complaints };
  };
};

/** A template with faults is read a second time without them, so that one run reports them all. */
const reviewReading = async (
  document: Document,
  first: TemplateResult,
  { read, review }: { readonly read: TemplateReader; readonly review: ReviewTemplate },
): Promise<Review> => {
  const own = asErrors(first.problems);
  if (first.template !== undefined) {
    const { template, complaints } = await review(first.template);
    return { ...(template === undefined ? {} : { template }), complaints: [...own, ...complaints] };
  }
  if (first.isUnread) return { complaints: own };
  const doubtful = first.problems.map(({ field }) => field);
  const second = await read(sound(document, doubtful));
  const further = second.template === undefined ? [] : (await review(second.template)).complaints;
  const others = [...asErrors(second.problems), ...further];
  return { complaints: [...own, ...others.filter((each) => !isAbout(doubtful)(each))] };
};

/** A field's path under the name that its administrator wrote. */
const writtenName = (names: ReadonlyMap<string, string>, path: string): string => {
  const [top = '', ...rest] = path.split('.');
  return [names.get(top) ?? top, ...rest].join('.');
};

/** Of the values that a field may have, the one that was probably meant. */
const withClosestValue = (document: Document, complaint: Complaint): Complaint => {
  const [, values] = /^must be one of (.*)$/.exec(complaint.rule) ?? [];
  const written = document[complaint.field];
  const closest =
    values === undefined || typeof written !== 'string' ? undefined : closestName(written, values.split(', '));
  return closest === undefined ? complaint : { ...complaint, hint: `did you mean ${closest}?` };
};

const isError = ({ severity }: Complaint): boolean => severity === 'error';

/** Known fields that unknown ones were probably meant to be. */
const closestFields = (document: Document, { slips, warnings }: TemplateResult): ReadonlyMap<string, string> => {
  const absent = Object.keys(templateFields).filter((name) => !Object.hasOwn(document, name));
  const unclear = warnings.filter(({ field, rule }) => rule === unknownField && insteadOf(field) === undefined);
  return new Map([
    ...slips,
    ...unclear.flatMap(({ field }) => {
      const name = closestName(field, absent);
      return name === undefined ? [] : [[field, name] as const];
    }),
  ]);
};

/**
 * What keeps a template from being served is what the scripts find in it as it is written. A misspelt field is one mistake: what
 * would follow from its absence is not reported as well.
 */
const reviewDocument = async (document: Document, read: TemplateReader, review: ReviewTemplate): Promise<Review> => {
  const reading = await read(document);
  const { names, slips } = reading;
  const closest = closestFields(document, reading);
  const written = await reviewReading(document, reading, { read, review });
  const isGood = !written.complaints.some(isError);
  const corrected = async (): Promise<Review> => {
    const spelled = Object.fromEntries(
      Object.entries(document).map(([field, each]) => [closest.get(field) ?? field, each]),
    );
    return reviewReading(spelled, await read(spelled), { read, review });
  };
  const checked = isGood || closest.size === 0 ? written : await corrected();
  const isToBlame = !isGood && slips.size === 0 && !checked.complaints.some(isError);
  const isNeeded = (name: string | undefined): boolean =>
    name !== undefined &&
    (isToBlame || written.complaints.some(({ field, rule }) => field === name && /required/.test(rule)));
  const warnings = reading.warnings.map(({ field, rule }): Complaint => {
    const name = closest.get(field);
    const hint = name === undefined ? insteadOf(field) : `did you mean ${name}?`;
    return { severity: isNeeded(name) ? 'error' : 'warning', field, rule, ...(hint === undefined ? {} : { hint }) };
  });
  const misspelt = asErrors([...slips].map(([field, name]) => ({ field, rule: `is unknown; did you mean ${name}?` })));
  const complaints = [
    ...misspelt,
    ...checked.complaints.map((each) => withClosestValue(document, { ...each, field: writtenName(names, each.field) })),
    ...warnings,
    ...misspeltAttributes(document),
  ];
  return { complaints, ...(isGood && written.template !== undefined ? { template: written.template } : {}) };
};

const syntaxFindings = (
  text: string,
  errors: readonly ParseError[],
  nameOfFault: (code: number) => string,
): readonly Finding[] =>
  errors.map(({ error, offset }) => ({
    severity: 'error',
    templateId: '',
    field: '',
    rule: `is not JSON here: ${nameOfFault(error)}`,
    ...placeOf(text, offset),
  }));

const wholeFile = (rule: string): CheckedFile => ({
  findings: [{ severity: 'error', templateId: '', field: '', rule, line: 1, column: 1 }],
  entries: [],
});

const checkText = async (text: string, facts: CatalogFacts): Promise<CheckedFile> => {
  const { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } = await import('../json/jsonc.ts');
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined) return wholeFile('is empty');
  if (errors.length > 0) return { findings: syntaxFindings(text, errors, printParseErrorCode), entries: [] };
  const list = root.type === 'object' ? findNodeAtLocation(root, ['templates']) : undefined;
  if (list?.type !== 'array') return wholeFile(templatesForm);
  const review = createReview(facts);
  const ids = new Set<string>();
  const entries: CheckedTemplate[] = [];
  for (const [index, node] of (list.children ?? []).entries()) {
    const document: unknown = getNodeValue(node);
    const templateId = nameOf(document, index);
    const place = (field: string) => placeOf(text, find(node, field).offset);
    if (!isObject(document)) {
      entries.push({ templateId, place, complaints: [{ severity: 'error', field: '', rule: 'must be an object' }] });
      continue;
    }
    const twice: Complaint = { severity: 'error', field: 'templateId', rule: 'is used twice in the file' };
    const { template, complaints } = await reviewDocument(document, facts.read, review);
    const all = [...(ids.has(templateId) ? [twice] : []), ...complaints, ...duplicates(node)];
    ids.add(templateId);
    entries.push({ templateId, place, complaints: all, ...(template === undefined ? {} : { template }) });
  }
  return { findings: [], entries };
};

/** Checks a templates file as its administrator wrote it. Throws `configuration.missing` where it cannot be read. */
export const createTemplateChecker = (environment: ProviderEnvironment, facts: CatalogFacts): TemplateChecker => ({
  check: async (named) => {
    const places = named === undefined ? candidates(environment, 'prov_templates.json') : [named];
    for (const file of places) {
      if (!existsSync(file)) continue;
      const read = async (): Promise<string> => readPlainFile(file).toString('utf8');
      const text = await read().catch((cause: unknown) => {
        throw new PluginError('configuration.invalid', `cannot read ${file}: ${messageOf(cause)}`, { cause });
      });
      return { file, ...(await checkText(text.replace(/^\uFEFF/, ''), facts)) };
    }
    throw new PluginError('configuration.missing', `no templates file; looked for ${places.join(', ')}`);
  },
});
