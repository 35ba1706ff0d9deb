import { validateTemplate } from '../config/documents.validator.ts';
import { readScalars } from '../config/scalars.ts';
import { countedCores } from '../domain/instance-type.ts';
import type { Attribute, Template, TemplateProblem } from '../domain/template/template.ts';
import { problemsOf } from '../json/problems.ts';
import { scalars } from './fields/field-facts.computed.ts';
import { unknownField } from './template-entry.ts';
import { normalize, type Written } from './template-vocabulary.ts';

/** A template as written, after it passed the schema; empty strings and nulls are left out. */
interface TemplateDocument
  extends Omit<
    Template,
    'attributes' | 'subnetIds' | 'instanceTags' | 'securityGroupIds' | 'maxSpotPrice' | 'priceType' | 'allOrNothing'
  > {
  readonly priceType?: Template['priceType'];
  readonly attributes?: Readonly<Record<string, AttributeSpelling>>;
  readonly subnetId: string | readonly string[];
  readonly instanceTags?: string | Readonly<Record<string, string>>;
  readonly securityGroupIds?: readonly string[];
  readonly maxSpotPrice?: string | number;
  readonly allOrNothing?: boolean;
}

type Scalar = string | number | boolean;
type AttributeSpelling = Scalar | readonly [kind: Attribute[0], value: Scalar];

export interface TemplateResult {
  readonly template?: Template;
  /** What the template itself says, under the names and in the forms of the schema. */
  readonly document: Written;
  readonly problems: readonly TemplateProblem[];
  /** The names as written, by field. */
  readonly names: ReadonlyMap<string, string>;
  /** Misspelt fields that are among the problems, and what was probably meant. */
  readonly slips: ReadonlyMap<string, string>;
  /** Whether a file that it names is no use: what else it lacks may follow from that. */
  readonly isUnread: boolean;
  /** Worth a line in the log, no reason to refuse the template. */
  readonly warnings: readonly TemplateProblem[];
}

const isTemplateDocument = (value: unknown): value is TemplateDocument => validateTemplate(value);

const numericAttributes: ReadonlySet<string> = new Set(['ncpus', 'ncores', 'nram', 'nthreads', 'rank']);
const positiveAttributes = ['ncpus', 'ncores', 'nram'];

/** Attributes come as `["Numeric","4"]`, `"4"` or `4` (IBM's page shows all three); Host Factory gets the first. */
const toAttribute = (name: string, spelling: AttributeSpelling): Attribute => {
  if (typeof spelling === 'object') return [spelling[0], String(spelling[1])];
  if (typeof spelling === 'boolean') return ['Boolean', String(spelling)];
  return [typeof spelling === 'number' || numericAttributes.has(name) ? 'Numeric' : 'String', String(spelling)];
};

const attributeProblems = (attributes: Template['attributes']): readonly TemplateProblem[] =>
  positiveAttributes.flatMap((name) => {
    const value = attributes[name]?.[1];
    const isCounted = name === 'ncores' && value === countedCores;
    return value === undefined || isCounted || /^[1-9]\d*$/.test(value.trim())
      ? []
      : [{ field: `attributes.${name}`, rule: `must be a whole number above 0, not "${value}"` }];
  });

type Pair = readonly [pair: string, key: string, value: string | undefined];

const pairsOf = (text: string): readonly Pair[] =>
  text
    .split(';')
    .map((part) => part.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const split = pair.indexOf('=');
      const key = (split < 0 ? pair : pair.slice(0, split)).trim();
      return [pair, key, split < 0 ? undefined : pair.slice(split + 1).trim()];
    });

const pairsIn = (tags: Readonly<Record<string, string>>): readonly Pair[] =>
  Object.entries(tags).map(([key, value]) => [`${key}=${value}`, key, String(value)]);

interface Tags {
  readonly tags: Template['instanceTags'];
  readonly problems: readonly TemplateProblem[];
  readonly warnings: readonly TemplateProblem[];
}

/** EC2: 50 tags per resource (aws-provisioning-facts 12); some are ours. */
const mostTags = 43;
const reservedPrefix = 'hf-aws:';

const tagProblem = (pair: string, key: string, value: string | undefined): string | undefined => {
  if (value === undefined) return `"${pair}" is not key=value`;
  if (key === '' || key.length > 128) return `the key of "${pair}" must have 1 to 128 characters`;
  if (value.length > 256) return `the value of "${key}" must have at most 256 characters`;
  if (key.startsWith(reservedPrefix)) return `keys beginning with ${reservedPrefix} are the plug-in's own`;
  return undefined;
};

/** `k=v;k=v`, where commas belong to values, or an object. */
const readTags = (written: string | Readonly<Record<string, string>>): Tags => {
  const tags = new Map<string, string>();
  const problems: TemplateProblem[] = [];
  const warnings: TemplateProblem[] = [];
  for (const [pair, key, value] of typeof written === 'string' ? pairsOf(written) : pairsIn(written)) {
    const rule = tagProblem(pair, key, value);
    if (rule !== undefined) problems.push({ field: 'instanceTags', rule });
    else if (key.toLowerCase().startsWith('aws:'))
      warnings.push({ field: 'instanceTags', rule: `"${key}" is left out: AWS keeps aws: for itself` });
    else tags.set(key, value ?? '');
  }
  if (tags.size > mostTags) problems.push({ field: 'instanceTags', rule: `must hold at most ${mostTags} tags` });
  return { tags: [...tags], problems, warnings };
};

const toList = (value: string | readonly string[]): readonly string[] =>
  (typeof value === 'string' ? value.split(',') : value).map((item) => item.trim()).filter((item) => item !== '');

/** Checks one template and brings it into one form; `complete` gives what it leaves out once it has the schema's names. */
export const readTemplate = (
  written: Written,
  complete: (document: Written) => Written = (document) => document,
): TemplateResult => {
  const normal = normalize(written);
  const spelling = { document: normal.document, names: normal.names, slips: normal.slips, isUnread: false };
  const fields: unknown = readScalars(scalars, complete(normal.document));
  const warnings = [...normal.warnings, ...normal.unknown.map((field) => ({ field, rule: unknownField }))];
  if (!isTemplateDocument(fields))
    return { ...spelling, problems: [...normal.problems, ...problemsOf(validateTemplate.errors)], warnings };

  const { subnetId, instanceTags = '', securityGroupIds = [], maxSpotPrice, attributes = {}, ...rest } = fields;
  const tags = readTags(instanceTags);
  const spelled = { ncores: 1, ...attributes };
  const template: Template = {
    priceType: 'ondemand',
    allOrNothing: false,
    ...rest,
    attributes: Object.fromEntries(Object.entries(spelled).map(([name, value]) => [name, toAttribute(name, value)])),
    subnetIds: toList(subnetId),
    instanceTags: tags.tags,
    securityGroupIds: securityGroupIds.filter((id) => id !== ''),
    ...(maxSpotPrice === undefined ? {} : { maxSpotPrice: String(maxSpotPrice) }),
  };
  const subnets = template.subnetIds.length > 0 ? [] : [{ field: 'subnetId', rule: 'must name a subnet' }];
  const problems = [...normal.problems, ...subnets, ...attributeProblems(template.attributes), ...tags.problems];
  return { ...spelling, template, problems, warnings: [...warnings, ...tags.warnings] };
};
