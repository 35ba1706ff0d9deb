import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { PreparedLaunch, Refusal, RefusalFault } from '../../domain/request.ts';
import { optional } from './launch-data.ts';

const refusalFaults: ReadonlySet<string> = new Set<RefusalFault>([
  'provider.capacity',
  'provider.quota',
  'provider.denied',
  'provider.misconfigured',
  'provider.missing',
  'provider.unreachable',
]);

export const isRefusalFault = (code: string): code is RefusalFault => refusalFaults.has(code);

/** An error that leaves no doubt as what was not given; any other error is passed on. */
export const refusalOf = (error: unknown, { count, pool }: PreparedLaunch): Refusal => {
  if (!isPluginError(error) || !isRefusalFault(error.code)) throw error;
  const { code = error.code, awsRequestId } = error.aws ?? {};
  const message = messageOf(error).replace(/^.*?Error Code: [^:]*: /s, '');
  return { missing: count, code, fault: error.code, message, pool, ...optional('awsRequestId', awsRequestId) };
};
