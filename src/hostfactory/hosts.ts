import { PluginError } from '../domain/errors.ts';
import { asList, asOptionalText } from './fields.ts';

interface Host {
  readonly name: string;
  readonly machineId: string;
}

const readHost = (entry: unknown, path: string): Host => {
  if (typeof entry === 'string') return { name: asOptionalText(entry, path), machineId: '' };
  if (typeof entry !== 'object' || entry === null) {
    throw new PluginError('input.invalid', `${path} must be an object with name or machineId`);
  }
  return {
    name: asOptionalText('name' in entry ? entry.name : undefined, `${path}.name`),
    machineId: asOptionalText('machineId' in entry ? entry.machineId : undefined, `${path}.machineId`),
  };
};

const isNamed = ({ name, machineId }: Host): boolean => name !== '' || machineId !== '';

/** The hosts of an input: `{name, machineId}` from real Host Factory, `{name}` by IBM's page, or plain names. */
export const readHosts = (value: unknown): readonly Host[] =>
  asList(value, 'machines').map((entry, index) => {
    const host = readHost(entry, `machines[${index}]`);
    if (isNamed(host)) return host;
    throw new PluginError('input.invalid', `machines[${index}] must have a name or a machineId`);
  });

/** The same where a host without name and id is only left out: a question about nothing has no answer. */
export const readNamedHosts = (value: unknown): readonly Host[] =>
  asList(value, 'machines')
    .map((entry, index) => readHost(entry, `machines[${index}]`))
    .filter(isNamed);
