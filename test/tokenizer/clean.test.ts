import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText } from '../../lib/tokenizer/clean.js';

test.each([
  ['  a \t\r\n b\u3000c\u00a0d\u2028e  ', 'a b c d e'],
  ['&lt;b&gt; &amp;amp;amp; &eacute;&EACUTE;', '<b> & éÉ'],
  ['<i>&amp;amp;amp;lt;</i>', '<i>&amp;lt;</i>'],
  ['&amp;lt;\n<\n&amp;amp;amp;lt;', '< < &amp;lt;'],
  ['&notit; &ampere &not', '¬it; &ere ¬'],
  ['&#39;&#x2764;&#65 &#128;&#0;&#xD800;&#1;', "'❤A €\ufffd\ufffd"],
  ['“q” ‘s’ ʼn', "\"q\" 's' 'n"],
  ['ﬁancé ﬃ ﬅ Ǆ ŉ', "fiancé ffi ſt DŽ 'n"],
  ['ＬＯＵＤ　ｶﾞ ￦', 'LOUD ガ ₩'],
  ['e\u0301 n\u0303 \u1100\u1161', 'é ñ 가'],
  ['\x1b[31mred\x1b[0m \0\x07\ufeff\x7f\u206a\ufffc', 'red'],
  ['\x80\x93\x94', '€""'],
  ['\ud800a', '\ufffda'],
  ['Keep CASE, 한국어, ❤️ and 👩‍🚀', 'Keep CASE, 한국어, ❤️ and 👩‍🚀'],
  // Mojibake is unchanged; ftfy would turn it into "“".
  ['â€œ', 'â€œ'],
])('cleans %j to %j', (text, clean) => expect(cleanText(text)).toBe(clean));

test('never throws, and leaves no runs of white space', () => {
  const pieces = fc.constantFrom(
    '&',
    '#',
    'x',
    ';',
    'amp',
    'lt',
    '<',
    '39',
    ' ',
    '\n',
    '\ud800',
    'é',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 30 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const clean = cleanText(input);
      expect(clean).not.toMatch(/\s\s|^\s|\s$/);
    }),
  );
});
