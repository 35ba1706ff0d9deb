import type { Argv } from 'yargs';
import type { CommonOptions } from './context.ts';
import { checkPort, UsageError } from './run.ts';

const checkRate = ({ rate }: { readonly rate: number }): true => {
  if (Number.isInteger(rate) && rate > 0) return true;
  throw new UsageError('--rate must be a whole number of at least 1');
};

export const serveOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('host', {
      type: 'string',
      default: '127.0.0.1',
      describe: 'Address to listen on; other than loopback it needs --tokens',
    })
    .option('port', { type: 'number', default: 8480, describe: 'Port to listen on; 0 takes any free one' })
    .option('socket', { type: 'string', describe: 'Unix socket to listen on instead of a port' })
    .option('tokens', { type: 'string', describe: 'JSON file of bearer tokens, private to its owner (0600)' })
    .option('read-only', { type: 'boolean', default: false, describe: 'Answer queries, refuse commands' })
    .option('scripts-only', {
      type: 'boolean',
      default: false,
      describe: "Only answer Host Factory's scripts, of all registered providers; no address",
    })
    .option('mcp-changes', {
      type: 'boolean',
      default: false,
      describe: 'Let assistants at /mcp change things, as far as the role of their token goes',
    })
    .option('rate', { type: 'number', default: 60_000, describe: 'Calls per minute allowed to each client' })
    .check(checkPort)
    .check(checkRate)
    .example('hf-aws serve --socket /run/hf-aws.sock', 'for programs of this user on this machine')
    .example('hf-aws serve --scripts-only', "answers Host Factory's scripts in a fraction of their time")
    .example('hf-aws serve --host 0.0.0.0 --tokens tokens.json', '[{"token": "...", "user": "ana", "role": "viewer"}]');
