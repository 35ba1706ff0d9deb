import { parseXML } from '@aws-sdk/xml-builder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXml } from '../../../../../src/providers/aws/wire/xml.ts';
import { runs, seed } from '../../../../random.ts';

/** As the SDK's own parser reads it, below the root. */
const bySdk = (xml: string): unknown => Object.values(parseXML(xml))[0];

const name = fc.constantFrom('item', 'instanceId', 'tagSet', 'ns2:value', 'a-b.c_1', 'member');
const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'i-1', 'a &amp; b', '&lt;x&gt;', '&#65;&#x42;', ' kept ', '\n  ', 'é漢', '0'),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[^<&\r]{0,20}$/) },
);
const attributes = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(' xmlns="http://ec2.amazonaws.com/doc/"', " key = 'a &quot; b' ", '\n x="1" y="2"'),
  },
);
const between = fc.constantFrom('', '', '\n    ', '<!-- <x> -->', '<?p i?>');
const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.tuple(name, attributes, text).map(([tag, given, held]) => `<${tag}${given}>${held}</${tag}>`),
    fc.tuple(name, attributes).map(([tag, given]) => `<${tag}${given}/>`),
    fc.tuple(name, text).map(([tag, held]) => `<${tag}><![CDATA[${held}]]></${tag} >`),
    fc
      .tuple(name, attributes, fc.array(fc.tuple(between, tie('element')), { minLength: 1, maxLength: 4 }), between)
      .map(([tag, given, held, end]) => `<${tag}${given}>${held.flat().join('')}${end}</${tag}>`),
  ),
}));
const document = fc
  .tuple(fc.constantFrom('', '<?xml version="1.0" encoding="UTF-8"?>\n', '<!-- c -->\r\n'), element)
  .map((parts) => parts.join(''));

describe('XML', () => {
  it('is read as the SDK reads it', () => {
    fc.assert(
      fc.property(document, (xml) => {
        expect(parseXml(xml)).toEqual(bySdk(xml));
      }),
      { numRuns: runs(2000), seed },
    );
  });

  it('has whole characters written as numbers, and whatever is no reference as it is', () =>
    expect(parseXml('<a>&#128512;&#x1F600; &#x110000; &nothing; &apos;&amp;lt;</a>')).toBe(
      "😀😀 &#x110000; &nothing; '&lt;",
    ));

  it('has a list where an element occurs several times, and a name of JavaScript’s own as any other', () => {
    expect(parseXml('<a><b>1</b><c/><b>2</b><b x="3"/></a>')).toEqual({ b: ['1', '2', { x: '3' }], c: '' });
    expect(parseXml('<a><toString>1</toString><constructor>2</constructor></a>')).toEqual({
      toString: '1',
      constructor: '2',
    });
    expect(parseXml('<a><__proto__><polluted>1</polluted></__proto__></a>')).toEqual({});
  });

  it.each([
    ['nothing', ''],
    ['text', 'Service Unavailable'],
    ['JSON', '{"a": 1}'],
    ['a document type', '<!DOCTYPE html><html></html>'],
    ['what is cut off in a text', '<a><b>1'],
    ['what is cut off in a name', '<a><b'],
    ['what is cut off in an attribute', '<a b="1'],
    ['what is cut off before a value', '<a b='],
    ['what is cut off in a comment', '<a><!-- '],
    ['another end', '<a><b>1</c></a>'],
    ['a tag without a name', '<a>< b>1</a>'],
    ['an attribute without quotes', '<a b=1></a>'],
    ['an attribute without a value', '<a b></a>'],
    ['a slash in a tag', '<a/b></a>'],
    ['a mark nobody knows', '<a><!x></a>'],
  ])('is not %s', (_, xml) => expect(() => parseXml(xml)).toThrow(/^not XML: /));
});
