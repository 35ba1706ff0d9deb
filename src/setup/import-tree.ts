import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { ForeignField, ImportOrder, ImportReport } from '../application/ports/setup.ts';
import { insteadOf, readAs } from '../templates/fields/read-as.ts';
import { templateFields } from '../templates/fields/template-fields.ts';
import { isObject, nameOf, unknownField } from '../templates/template-entry.ts';
import { createTemplateReader } from '../templates/template-reader.ts';
import type { Written } from '../templates/template-vocabulary.ts';
import { brokerConfig } from './broker-config.ts';
import { fieldsOf, judgeParameter } from './foreign-fields.ts';
import { type Decision, type ForeignTree, findTree, type Translated } from './foreign-tree.ts';
import { refuseRoot, refuseToReplace, writeFiles } from './written-files.ts';

const paths = ['AWS_CREDENTIAL_FILE', 'AWS_CREDENTIAL_SCRIPT', 'AWS_KEY_FILE', 'metricsTextfile'];

const ibmConfig = ({ config, configFile: file = '', folder }: ForeignTree): Translated => {
  const judged = Object.entries(config).map(([field, value]) => ({ field, value, ...judgeParameter(field, value) }));
  const document = Object.fromEntries(
    judged
      .filter(({ use }) => use === 'used')
      .map(({ field, value }) => {
        const isRelative = paths.includes(field) && typeof value === 'string' && !isAbsolute(value);
        return [field, isRelative ? join(folder, String(value)) : value];
      }),
  );
  const decisions = judged
    .filter(({ use }) => use === 'unknown')
    .map(({ field, why }) => ({ file, field, why: `${why}: left out` }));
  return { document, decisions };
};

/** LSF sends this script to every host. */
const lsfScript = ({ source, folder, configFile: file = '' }: ForeignTree): Translated => {
  const script = ['../scripts/user_data.sh', 'scripts/user_data.sh']
    .map((path) => resolve(folder, path))
    .find((path) => existsSync(path));
  if (source !== 'IBM LSF' || script === undefined) return { document: {}, decisions: [] };
  const why = `${script}, which LSF sends to every host, is named in templateDefaults`;
  return {
    document: { templateDefaults: { userDataScript: script } },
    decisions: [{ file, field: 'userDataScript', why }],
  };
};

const inOrder = (document: Written): Written => {
  const order = Object.keys(templateFields);
  return Object.fromEntries(Object.entries(document).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
};

/**
 * A template in our words. What keeps it from being served stays in it as it was written: left out it would be served as
 * something else.
 */
const translated = async (tree: ForeignTree, entry: Written, index: number): Promise<Translated> => {
  const file = tree.templatesFile ?? '';
  const templateId = nameOf(entry, index);
  const read = createTemplateReader(tree.folder, { all: {}, byApi: {} });
  const { document, names, problems, warnings } = await read(entry);
  const faulty = problems.map(({ field }) => field.split('.')[0] ?? '').filter((field) => Object.hasOwn(entry, field));
  const kept = faulty.filter((field) => document[field] === undefined).map((field) => [field, entry[field]] as const);
  const decide = (field: string, why: string): Decision => ({ file, templateId, field, why });
  const sources = [...new Set(names.values())].filter((name) => !('field' in (readAs(name) ?? { field: '' })));
  const decisions = [
    ...sources.map((name) => {
      const fields = [...names].filter(([, each]) => each === name).map(([field]) => field);
      return decide(name, `is written as ${fields.join(', ')}`);
    }),
    ...warnings.map(({ field, rule }) => {
      const instead = insteadOf(field);
      return decide(field, rule === unknownField ? (instead ?? 'is no field of this plug-in: left out') : rule);
    }),
    ...kept.map(([field]) => {
      const rule = problems.find((each) => each.field === field)?.rule ?? '';
      return decide(field, `keeps the template from being served: ${rule}`);
    }),
  ];
  const comment = decisions.map(({ field, why }) => `${field} ${why}`);
  return {
    document: {
      ...(comment.length === 0 ? {} : { $comment: comment }),
      ...inOrder(document),
      ...Object.fromEntries(kept),
    },
    decisions,
  };
};

const textOf = (document: Written): string => `${JSON.stringify(document, null, 2)}\n`;

const allFields = ({
  source,
  config,
  configFile = '',
  templates,
  templatesFile = '',
}: ForeignTree): readonly ForeignField[] => [
  ...(source === 'Open Resource Broker'
    ? []
    : Object.entries(config).map(([field, value]) => ({ file: configFile, field, ...judgeParameter(field, value) }))),
  ...templates.flatMap((entry, index) => fieldsOf(templatesFile, entry, index)),
];

/**
 * Takes another plug-in's files over: recognises the plug-in, reports what needs a decision, and writes configuration and
 * templates of ours where asked to. Throws `configuration.missing`, `input.invalid` where files are there already.
 */
export const importTree = async (order: ImportOrder): Promise<ImportReport> => {
  const tree = await findTree(order.path, order.instance);
  const isBroker = tree.source === 'Open Resource Broker';
  const own = isBroker ? brokerConfig(tree) : ibmConfig(tree);
  const script = lsfScript(tree);
  const entries = tree.templates.map((entry) => (isObject(entry) ? entry : {}));
  const templates = await Promise.all(entries.map((entry, index) => translated(tree, entry, index)));
  const decisions = [...own.decisions, ...script.decisions, ...templates.flatMap((each) => each.decisions)];
  const config = { ...own.document, ...script.document };
  const comment = [...own.decisions, ...script.decisions].map(({ field, why }) => `${field} ${why}`);
  const report = {
    source: tree.source,
    instance: tree.instance,
    fields: allFields(tree),
    decisions,
    faults: tree.faults,
    ...(isBroker || tree.templatesFile === undefined ? {} : { templatesFile: tree.templatesFile }),
  };
  if (order.write === undefined) return { ...report, written: [], backups: [] };
  const file = (suffix: string): string => join(resolve(order.write ?? ''), `${tree.instance}prov_${suffix}.json`);
  const texts = [
    { file: file('config'), text: textOf({ ...(comment.length === 0 ? {} : { $comment: comment }), ...config }) },
    { file: file('templates'), text: textOf({ templates: templates.map(({ document }) => document) }) },
  ];
  refuseRoot(order.write);
  refuseToReplace(texts, order.force);
  const backups = await writeFiles(texts);
  return { ...report, written: texts.map((each) => each.file), backups };
};
