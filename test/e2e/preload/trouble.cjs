// Loaded into the scripts' Node. HF_AWS_TEST_TROUBLE names what befalls it.
const files = require('node:fs');

const troubles = {
  /** The disk does not answer: the first file that is to be put on it holds the process up, deaf to signals. */
  'disk hangs': () => {
    files.fsyncSync = () => {
      files.writeFileSync(process.env.HF_AWS_TEST_MARK, '');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120_000);
    };
  },
  'killed as soon as its answer is out': () => {
    const write = files.writeSync;
    files.writeSync = (descriptor, ...rest) => {
      const written = write(descriptor, ...rest);
      if (descriptor === 1) process.kill(process.pid, 'SIGKILL');
      return written;
    };
  },
  'killed after its answer': () => process.on('exit', () => process.kill(process.pid, 'SIGKILL')),
  'no more files once it has answered': () => {
    const open = files.openSync;
    files.openSync = (path, ...rest) => {
      if (path === '/dev/null') throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
      return open(path, ...rest);
    };
  },
};
troubles[process.env.HF_AWS_TEST_TROUBLE]();
