#!/usr/bin/env node
'use strict';
// Runs on any Node, however old, so that a wrong one is told to Host Factory in the one JSON object it reads.
var least = [20, 19];
var version = process.versions.node.split('.').map(Number);
var isOld = version[0] < least[0] || (version[0] === least[0] && version[1] < least[1]);
function refuse(message) {
  // See scripts/launcher.sh: the note and 11 say that an answer is out.
  if (process.env.HF_AWS_NOTES === 'yes') {
    try {
      require('node:fs').writeSync(3, 'a1\n');
    } catch (_) {}
  }
  process.stdout.write(JSON.stringify({ message: message }) + '\n');
  process.exitCode = process.env.HF_AWS_LAUNCHER ? 11 : 1;
}
if (isOld) {
  refuse('hostfactory-aws needs Node ' + least.join('.') + ' or later; ' + process.execPath + ' is ' + process.version);
} else {
  try {
    require('./start.ts').start(require, __dirname);
  } catch (error) {
    refuse('hostfactory-aws cannot be loaded: ' + error.message + '; build or install it again');
  }
}
