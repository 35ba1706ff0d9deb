/** How many times as many random cases as usual are played: `HF_AWS_TEST_TIMES`, 1 where that is not set. */
export const times = Number(process.env['HF_AWS_TEST_TIMES'] ?? 1);
if (!(Number.isSafeInteger(times) && times > 0)) throw new Error('HF_AWS_TEST_TIMES must be a whole number above 0');
