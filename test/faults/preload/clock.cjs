// Loaded into the scripts' Node: its clock goes so many milliseconds ahead (or behind).
const ahead = Number(process.env.HF_AWS_TEST_AHEAD_MS ?? 0);
const { now } = Date;
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length === 0 ? [now() + ahead] : given));
  }
  static now() {
    return now() + ahead;
  }
};
