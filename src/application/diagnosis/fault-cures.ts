import { type ErrorCode, hasCode, isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { type FindingCode, isFindingCode, type Trouble } from '../../domain/finding.ts';

type FaultCode = Exclude<Extract<ErrorCode, FindingCode>, `provider.${string}`> | 'internal';

/** The next step against a fault in the way of a check. */
const cures: Readonly<Record<FaultCode, string>> = {
  'configuration.invalid': 'correct the file or variable that is named, then hf-aws config validate',
  'configuration.missing': 'hf-aws init, or name the Region: AWS_REGION in the provider configuration',
  'storage.conflict': 'hf-aws doctor again: another process was faster',
  'storage.foreign': 'run hf-aws as the user that runs Host Factory',
  'storage.moved': 'name the store in use: stateTable of the provider configuration, or the work folder it was kept in',
  'storage.unavailable': 'look whether the state table can be reached: hf-aws config show tells its name and Region',
  'storage.unreadable': 'give the file back to the user that runs Host Factory, or restore it from a backup',
  'storage.unwritable':
    'make the work folder writable for the user that runs Host Factory: hf-aws config show tells it',
  'template.invalid': 'hf-aws templates validate',
  'template.protected': 'hf-aws offerings clear, when what its machines died of is mended',
  internal: 'hf-aws support --since 1h, and send the archive to whoever maintains this program',
};

/** Of a table that does not answer: what keeps AWS from answering. */
const behind = (fault: unknown): unknown =>
  hasCode(fault, 'storage.unavailable') && isPluginError(fault.cause) ? fault.cause : fault;

const isOurs = (code: string): code is FaultCode => Object.hasOwn(cures, code);

/** What a check that failed comes to. `ofAws` knows what helps against AWS's faults. */
export const faultFinding = async (
  subject: string,
  fault: unknown,
  ofAws: (fault: PluginError) => Promise<string>,
): Promise<Trouble> => {
  const code = isPluginError(fault) && isFindingCode(fault.code) ? fault.code : 'internal';
  const reason = behind(fault);
  const isOfAws = isPluginError(reason) && reason.code.startsWith('provider.');
  return {
    subject,
    status: 'error',
    code,
    what: messageOf(fault),
    why: isOfAws ? 'without AWS no machine is launched or returned' : 'this could not be looked at',
    cure: isOfAws ? await ofAws(reason) : cures[isOurs(code) ? code : 'internal'],
  };
};
