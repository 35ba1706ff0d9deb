import { describe, expect, it } from 'vitest';
import { findingsText } from '../../../src/cli/templates.ts';
import type { Finding } from '../../../src/domain/finding.ts';

const finding = (templateId: string, line: number, rule: string, more: Partial<Finding> = {}): Finding => ({
  ...{ severity: 'error', templateId, field: 'imageId', rule, line, column: 5 },
  ...more,
});
const answerWith = (errors: readonly Finding[], warnings: readonly Finding[] = []) => ({
  ...{ file: 't.json', templates: ['a', 'b', 'c'], isValid: errors.length === 0, errors, warnings },
});

describe('the findings in templates', () => {
  const many = answerWith(
    [
      finding('a', 2, 'is required', { hint: 'An AMI' }),
      finding('b', 4, 'is odd'),
      finding('b', 6, 'is required', { hint: 'An AMI' }),
      finding('c', 9, 'is required', { hint: 'An AMI' }),
    ],
    [finding('c', 8, 'is required', { severity: 'warning', hint: 'An AMI' })],
  );

  it('name a mistake of several templates once, with its first place and the templates', () =>
    expect(findingsText(many, false).split('\n')).toEqual([
      't.json:2:5: error: 3 templates: imageId is required',
      '    An AMI',
      '    in a, b, c',
      't.json:4:5: error: b: imageId is odd',
      't.json:8:5: warning: c: imageId is required',
      '    An AMI',
      '3 templates in t.json: 4 errors, 1 warning (--all shows every place)',
    ]));

  it('name every place on demand', () => {
    const text = findingsText(many, true);
    expect(text.match(/^t\.json:\d+:5/gm)).toEqual(['2', '4', '6', '8', '9'].map((line) => `t.json:${line}:5`));
    expect(text).toMatch(/4 errors, 1 warning$/);
  });

  it('name every place of a mistake that only one template, or the file, has', () => {
    const twice = answerWith([finding('a', 2, 'is used twice'), finding('a', 6, 'is used twice')]);
    const file = answerWith([finding('', 1, 'is not JSON'), finding('', 3, 'is not JSON')]);
    for (const answer of [twice, file]) expect(findingsText(answer, false)).toBe(findingsText(answer, true));
  });
});
