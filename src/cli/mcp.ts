import type { Argv } from 'yargs';
import type { CliContext, CommonOptions } from './context.ts';
import { reporting } from './run.ts';

export const mcpOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('allow-changes', {
      type: 'boolean',
      default: false,
      describe: 'Also offer tools that ask for machines, give them back, cancel requests',
    })
    .example('hf-aws mcp', 'as the command of a server in the configuration of an assistant')
    .example('hf-aws serve', 'the same over HTTP at /mcp, by tokens and roles');

/** Standard output is the protocol's: what is for people goes to standard error. */
export const runMcp = (
  context: CliContext,
  options: CommonOptions & { readonly allowChanges: boolean },
): Promise<number> => reporting(context, { ...options, json: false }, () => context.serveAssistant(options));
