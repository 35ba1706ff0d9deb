// Loaded into the scripts' Node. Reads the AWS part only when the file is there that HF_AWS_TEST_CONNECTED names: nothing else goes on meanwhile.
const files = require('node:fs');
const { join } = require('node:path');

const part = join(__dirname, '..', '..', '..', 'dist', 'aws.cjs');
const nothing = new Int32Array(new SharedArrayBuffer(4));
const { readFileSync } = files;
files.readFileSync = (path, ...more) => {
  for (let n = 0; String(path) === part && !files.existsSync(process.env.HF_AWS_TEST_CONNECTED); n++) {
    if (n === 500) throw new Error('nobody has connected');
    Atomics.wait(nothing, 0, 0, 20);
  }
  return readFileSync(path, ...more);
};
