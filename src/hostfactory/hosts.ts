import { PluginError } from '../domain/errors.ts';
import { asList, asOptionalText } from './fields.ts';

/** The hosts of an input: `{name, machineId}` from real Host Factory, `{name}` by IBM's page, or plain names. */
export const readHosts = (value: unknown): readonly { readonly name: string; readonly machineId: string }[] =>
  asList(value, 'machines').map((entry, index) => {
    const path = `machines[${index}]`;
    if (typeof entry === 'string') return { name: asOptionalText(entry, path), machineId: '' };
    if (typeof entry !== 'object' || entry === null) {
      throw new PluginError('input.invalid', `${path} must be an object with name or machineId`);
    }
    const name = asOptionalText('name' in entry ? entry.name : undefined, `${path}.name`);
    const machineId = asOptionalText('machineId' in entry ? entry.machineId : undefined, `${path}.machineId`);
    if (name === '' && machineId === '')
      throw new PluginError('input.invalid', `${path} must have a name or a machineId`);
    return { name, machineId };
  });
