import { decodeHTML, decodeHTMLStrict } from 'entities';

/** Bytes 0x80 to 0x9F in Windows-1252. A C1 control character in a text is almost always one of these. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

const LIGATURES: Readonly<Record<string, string>> = {
  ...{ Ĳ: 'IJ', ĳ: 'ij', ŉ: 'ʼn', Ǳ: 'DZ', ǲ: 'Dz', ǳ: 'dz', Ǆ: 'DŽ', ǅ: 'Dž', ǆ: 'dž' },
  ...{ Ǉ: 'LJ', ǈ: 'Lj', ǉ: 'lj', Ǌ: 'NJ', ǋ: 'Nj', ǌ: 'nj' },
  ...{ ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'ſt', ﬆ: 'st' },
};

/** Patterns and their replacements, in ftfy's order. */
const FIXES: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/[\x80-\x9f]/g, (c) => WINDOWS_1252[c.charCodeAt(0) - 0x80] as string],
  [new RegExp(`[${Object.keys(LIGATURES).join('')}]`, 'g'), (c) => LIGATURES[c] as string],
  [/[\u3000\uff01-\uffef]/g, (c) => (c === '\u3000' ? ' ' : c.normalize('NFKC'))],
  [/[\u201c-\u201f]/g, '"'],
  [/[\u02bc\u2018-\u201b]/g, "'"],
  [/\r\n|[\r\u2028\u2029\x85]/g, '\n'],
  [/\p{Cs}/gu, '\ufffd'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removes terminal escapes
  [/\x1b\[[\d;]*[a-zA-Z]/g, ''],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removes control characters
  [/[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g, ''],
];

/**
 * Cleans a prompt as Kakao's program does before tokenization: ftfy's fixes, HTML unescaped twice, white
 * space collapsed. Case is unchanged.
 *
 * ftfy 6's repair of mojibake is not implemented ("â€œ" is unchanged): no npm package offers it.
 */
export function cleanText(text: string): string {
  return unescapeHtml(unescapeHtml(fixText(text)))
    .replace(/\p{White_Space}+/gu, ' ')
    .trim();
}

/** ftfy works line by line, and regards "<" as markup: from that line on, it keeps entities. */
function fixText(text: string): string {
  let markup = false;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      markup ||= line.includes('<');
      return fixLine(line, markup);
    })
    .join('');
}

/** Repeats the fixes until nothing changes, because one fix can make another apply. */
function fixLine(line: string, markup: boolean): string {
  let fixed = line;
  let before: string;
  do {
    before = fixed;
    if (!markup) fixed = fixed.replace(/&#?[0-9A-Za-z]{1,24};/g, fixEntity);
    for (const [pattern, fix] of FIXES)
      fixed = fixed.replace(pattern, typeof fix === 'string' ? () => fix : (found) => fix(found));
    fixed = fixed.normalize('NFC');
  } while (fixed !== before);
  return fixed;
}

/** ftfy decodes only entities with a semicolon, and also accepts HTML's entities in capitals. */
function fixEntity(entity: string): string {
  if (entity.startsWith('&#')) {
    const decoded = unescapeHtml(entity);
    return decoded.includes(';') ? entity : decoded;
  }
  const exact = decodeHTMLStrict(entity);
  if (exact !== entity) return exact;
  const small = decodeHTMLStrict(entity.toLowerCase());
  const inCapitals = entity === entity.toUpperCase() && small !== entity.toLowerCase();
  return inCapitals && decodeHTML(entity) === entity ? small.toUpperCase() : entity;
}

const REFERENCE = /&(?:#(\d+);?|#[xX]([\da-fA-F]+);?|[^\t\n\f <&#;]{1,32};?)/gu;

/** Decodes HTML 5's character references, including those without a semicolon. */
function unescapeHtml(text: string): string {
  return text.replace(REFERENCE, (found, decimal?: string, hexadecimal?: string) => {
    if (decimal !== undefined) return character(Number.parseInt(decimal, 10));
    if (hexadecimal !== undefined) return character(Number.parseInt(hexadecimal, 16));
    return decodeHTML(found);
  });
}

/** HTML 5, "numeric character reference end state". Like Python's `html`, removes controls and noncharacters. */
function character(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return '\ufffd';
  if (code === 0x0d) return '\r';
  if (code >= 0x80 && code < 0xa0) return WINDOWS_1252[code - 0x80] as string;
  const control = (code < 0x20 && !'\t\n\f'.includes(String.fromCharCode(code))) || code === 0x7f;
  const noncharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
  return control || noncharacter ? '' : String.fromCodePoint(code);
}
