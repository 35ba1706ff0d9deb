import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const sources = join(import.meta.dirname, '..', '..', 'src');

interface Expression {
  readonly place: string;
  readonly expression: RegExp;
}

/** Every regular expression of a file: literals, and the patterns of its schemas. */
const expressionsIn = (name: string): readonly Expression[] => {
  const file = ts.createSourceFile(name, readFileSync(join(sources, name), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Expression[] = [];
  const add = (node: ts.Node, source: string, flags: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push({ place: `src/${name}:${line + 1}`, expression: new RegExp(source, flags.replaceAll(/[gy]/g, '')) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      add(node, node.text.slice(1, end), node.text.slice(end + 1));
    }
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'pattern' && ts.isStringLiteral(node.initializer))
      add(node, node.initializer.text, 'u');
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
};

const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|cjs)$/.test(name));
const all = files.flatMap(expressionsIn);

/** Texts that match, or nearly: fast-check cannot make all of what expressions may ask for. */
const samplesOf = ({ source, flags }: RegExp): readonly string[] => {
  try {
    const plain = new RegExp(source.replaceAll(/\\b/g, ''), flags);
    return fc.sample(fc.stringMatching(plain), { numRuns: 4, seed: 1 });
  } catch {
    return ['a=b, c'];
  }
};

type Attack = (length: number) => string;

/** Texts that go well for a while, then repeat one character for long, then fail. */
const attacksOn = (expression: RegExp): readonly Attack[] =>
  samplesOf(expression).flatMap((sample) => {
    const places = [...new Set([0, 1, 2, 3, 5, 8, sample.length])].filter((at) => at <= sample.length);
    return places.flatMap((at) =>
      [...new Set([sample[at] ?? ' ', sample[at - 1] ?? ' ', ' '])].flatMap((pump) =>
        ['\u2028\u0001', 'x\n\u0001'].map(
          (tail) =>
            (length: number): string =>
              `${sample.slice(0, at)}${pump.repeat(length)}${tail}`,
        ),
      ),
    );
  });

/** Microseconds of this process: other processes do not count. */
const costOf = (expression: RegExp, text: string): number => {
  const before = process.cpuUsage();
  expression.exec(text);
  const { user, system } = process.cpuUsage(before);
  return user + system;
};
const leastCostOf = (expression: RegExp, text: string): number =>
  Math.min(...[1, 2].map(() => costOf(expression, text)));

const length = 2000;
/** So short a text costs nothing, unless each character doubles the time. */
const short = 24;
const noticed = 2000;

/** Three times the text takes three times as long, or, where the expression tries all pairs of places, nine times. */
const takesTooLong = (expression: RegExp, attack: Attack): boolean => {
  if (leastCostOf(expression, attack(short)) > noticed) return true;
  if (costOf(expression, attack(length)) < noticed || leastCostOf(expression, attack(length)) < noticed) return false;
  return leastCostOf(expression, attack(3 * length)) > 5.5 * leastCostOf(expression, attack(length));
};

const isWeak = ({ expression }: Pick<Expression, 'expression'>): boolean =>
  attacksOn(expression).some((attack) => takesTooLong(expression, attack));

describe('no regular expression takes more than its time over a long text', () => {
  it.each([/\s*\n\s*/, / +$/, /\s*Encoded message:.*$/s, /^([A-Z]+)\s*=\s*(.*)$/, /^(a+)+$/])(
    'and the test would notice: %s',
    (expression) => expect(isWeak({ expression })).toBe(true),
  );

  it('in any source file', () => {
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter(isWeak).map(({ place }) => place)).toEqual([]);
  });
});
