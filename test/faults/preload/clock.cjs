// Loaded into the scripts' Node: so many milliseconds later, by a clock that is so many ahead (or behind), on a host of this name.
const os = require('node:os');

const passed = Number(process.env.HF_AWS_TEST_PASSED_MS ?? 0);
const ahead = Number(process.env.HF_AWS_TEST_AHEAD_MS ?? 0);
const { now } = Date;
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length === 0 ? [Date.now()] : given));
  }
  static now() {
    return now() + passed + ahead;
  }
};
const { uptime } = os;
os.uptime = () => uptime() + passed / 1000;
const name = process.env.HF_AWS_TEST_HOST_NAME;
if (name !== undefined) os.hostname = () => name;
