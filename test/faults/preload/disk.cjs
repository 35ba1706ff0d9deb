// Loaded into the scripts' Node. HF_AWS_TEST_KILL=link:3:before kills the whole process group at the third use of a file operation;
// HF_AWS_TEST_SIGNAL=SIGSTOP stops it there.
// HF_AWS_TEST_DISK=ENOSPC:3 has every writing operation from the third on fail like this.
const files = require('node:fs');

const [operation, nth, at] = (process.env.HF_AWS_TEST_KILL ?? '').split(':');
const original = files[`${operation}Sync`];
let uses = 0;
// `rm` and `writeFile` are of the pipes by which a server takes calls, the others of the store.
const isOfPipes = operation === 'rm' || operation === 'writeFile';
const ofServer = /\/server\.|^\/dev\/shm\//;
const ofPipes = /\/(server|hf-aws-\d+-\d+)\.[0-9a-f-]{36}\/(answers\/)?\d/;
if (original !== undefined) {
  files[`${operation}Sync`] = (...args) => {
    if (isOfPipes ? !ofPipes.test(String(args[0])) : ofServer.test(String(args[0]))) return original(...args);
    uses += 1;
    const die = () => process.kill(0, process.env.HF_AWS_TEST_SIGNAL ?? 'SIGKILL');
    if (uses === Number(nth) && at === 'before') die();
    const isLast = uses === Number(nth) && at === 'after';
    try {
      return original(...args);
    } finally {
      // Also where it fails: the first link of a stream finds no folder.
      if (isLast) die();
    }
  };
}

const [code, from] = (process.env.HF_AWS_TEST_DISK ?? '').split(':');
let writes = 0;
for (const name of code ? ['openSync', 'mkdirSync', 'linkSync', 'renameSync'] : []) {
  const real = files[name];
  files[name] = (...args) => {
    const writing = name !== 'openSync' || /[wa]/.test(String(args[1]));
    // The log's folder is another; a server's pipes are no files.
    if (writing && !/\.log$/.test(String(args[0])) && !ofServer.test(String(args[0]))) {
      writes += 1;
      if (writes >= Number(from)) throw Object.assign(new Error(`${code}: ${name}`), { code });
    }
    return real(...args);
  };
}
