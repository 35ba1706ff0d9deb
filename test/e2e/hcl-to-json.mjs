// Reads HCL from standard input and writes JSON. A process of its own: the parser is Go's, in WebAssembly, and never gives back its memory.
import { readFileSync } from 'node:fs';
import { parse } from '@cdktf/hcl2json';

process.stdout.write(JSON.stringify(await parse('input.tf', readFileSync(0, 'utf8'))));
