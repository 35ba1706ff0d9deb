import type { FileReading } from './fleet-request.ts';
import { isObject } from './template-entry.ts';
import type { Note, Written } from './template-vocabulary.ts';

/** What templates have a word for; the rest stays in AWS's own, where templates may give it raw. */
const fieldOf: Readonly<Record<string, string>> = {
  ImageId: 'imageId',
  InstanceType: 'vmType',
  KeyName: 'keyName',
  SecurityGroupIds: 'securityGroupIds',
  EbsOptimized: 'ebsOptimized',
};

const known = (name: string, value: unknown): readonly (readonly [string, unknown])[] | Note => {
  const field = fieldOf[name];
  if (field !== undefined) return [[field, value]];
  if (name === 'IamInstanceProfile') {
    const { Arn, Name } = isObject(value) ? value : {};
    const profile = Arn ?? Name;
    return profile === undefined ? [] : [['instanceProfile', profile]];
  }
  if (name === 'UserData')
    return { field: name, rule: 'is base64: write the script to a file that userDataScript names' };
  return { field: name, rule: '' };
};

/** The data of a launch template, as Open Resource Broker's specifications hold it, in the words of templates. */
export const readLaunchTemplateData = (file: Written): FileReading => {
  const { LaunchTemplateData: data = file } = file;
  const fields = new Map<string, unknown>();
  const raw = new Map<string, unknown>();
  const problems: Note[] = [];
  const warnings: Note[] = [];
  for (const [name, value] of Object.entries(isObject(data) ? data : {})) {
    const found = known(name, value);
    if (name === 'TagSpecifications') warnings.push({ field: name, rule: 'are left out: write instanceTags' });
    else if (!('rule' in found)) for (const [field, each] of found) fields.set(field, each);
    else if (found.rule === '') raw.set(name, value);
    else problems.push(found);
  }
  if (raw.size > 0) fields.set('launchTemplateSpec', Object.fromEntries(raw));
  return { fields: Object.fromEntries(fields), problems, warnings };
};
