// Loaded into the scripts' Node. Notes what a call loads, and how often it waits for the disk, in the file that HF_AWS_TEST_COSTS names.
const files = require('node:fs');
const Module = require('node:module');
const { basename, join } = require('node:path');

const waits = [];
const loaded = new Set();
const { fsyncSync, readFileSync } = files;
files.fsyncSync = (descriptor) => {
  waits.push(files.readlinkSync(`/proc/self/fd/${descriptor}`));
  return fsyncSync(descriptor);
};
files.readFileSync = (path, ...more) => {
  if (String(path).startsWith(join(__dirname, '..', '..', '..', 'dist'))) loaded.add(basename(String(path)));
  return readFileSync(path, ...more);
};
const load = Module._load;
Module._load = (name, ...more) => {
  if (Module.isBuiltin(name)) loaded.add(name.replace(/^node:/, ''));
  return load(name, ...more);
};
const { getBuiltinModule } = process;
process.getBuiltinModule = (name) => {
  loaded.add(name.replace(/^node:/, ''));
  return getBuiltinModule(name);
};
process.on('exit', () => {
  files.writeFileSync(process.env.HF_AWS_TEST_COSTS, JSON.stringify({ waits, loaded: [...loaded] }));
});
