// Loaded into the scripts' Node, and into a server's, where it goes on while they run: so many milliseconds later, by a clock that is so
// many ahead (or behind), on a host of this name. HF_AWS_TEST_CLOCK names a file with both numbers.
const { readFileSync } = require('node:fs');
const os = require('node:os');

const read = () => readFileSync(process.env.HF_AWS_TEST_CLOCK, 'utf8').split(' ').map(Number);
const { now } = Date;
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length === 0 ? [Date.now()] : given));
  }
  static now() {
    const [passed, ahead] = read();
    return now() + passed + ahead;
  }
};
const { uptime } = os;
os.uptime = () => uptime() + read()[0] / 1000;
const [begun] = read();
const ofProcess = process.uptime;
process.uptime = () => ofProcess() + (read()[0] - begun) / 1000;
const name = process.env.HF_AWS_TEST_HOST_NAME;
if (name !== undefined) os.hostname = () => name;
