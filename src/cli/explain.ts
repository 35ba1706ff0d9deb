import { operations } from '../application/operations.ts';
import type { ExplainAnswer } from '../application/queries/explain.ts';
import { timeOf } from './columns.ts';
import { fromOperation } from './command.ts';
import { fold } from './table.ts';

const durationText = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `+${seconds} s`;
  return seconds < 7200 ? `+${Math.round(seconds / 60)} min` : `+${Math.round(seconds / 3600)} h`;
};

/** Of a local time with its zone. */
const timeWidth = 26;

/** What the program does by itself when it is asked next. */
const dueLine = (due: ExplainAnswer['due'], columns?: number): readonly string[] =>
  due === undefined ? [] : [fold(`Next step: ${due.text}`, 4, columns)];

/** `columns`: other than those of the terminal. */
export const explainText = ({ id, steps, now, due, next }: ExplainAnswer, columns?: number): string => {
  const lines = steps.map(({ at, after, text }, index) => {
    const time = index === 0 ? timeOf(at) : durationText(after);
    return fold(`${time.padStart(timeWidth)}  ${text}`, timeWidth + 2, columns);
  });
  const actions =
    next.length === 0
      ? ['Nothing needs to be done.']
      : ['What to do:', ...next.map((each) => fold(`  ${each}`, 4, columns))];
  return [id, ...lines, fold(`Now ${now}`, 4, columns), ...dueLine(due, columns), ...actions].join('\n');
};

/** The time line of a request or machine in words. */
export const explainCommand = fromOperation('explain <id>', operations.Explain, {
  examples: [
    ['hf-aws requests explain req-…', 'what happened, and what to do'],
    ['hf-aws machines explain i-0123456789abcdef0', 'the life of one machine'],
  ],
  text: (answer) => [explainText(answer)],
});
