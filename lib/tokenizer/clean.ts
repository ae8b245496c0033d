import { decodeHTML, decodeHTMLStrict } from 'entities';

/** Bytes 0x80 to 0x9F in Windows-1252, which is what a stray C1 control nearly always was. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

const LIGATURES: Readonly<Record<string, string>> = {
  ...{ Ĳ: 'IJ', ĳ: 'ij', ŉ: 'ʼn', Ǳ: 'DZ', ǲ: 'Dz', ǳ: 'dz', Ǆ: 'DŽ', ǅ: 'Dž', ǆ: 'dž' },
  ...{ Ǉ: 'LJ', ǈ: 'Lj', ǉ: 'lj', Ǌ: 'NJ', ǋ: 'Nj', ǌ: 'nj' },
  ...{ ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'ſt', ﬆ: 'st' },
};

/** Each with what replaces it, in ftfy's order. */
const FIXES: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/[\x80-\x9f]/g, (c) => WINDOWS_1252[c.charCodeAt(0) - 0x80] as string],
  [new RegExp(`[${Object.keys(LIGATURES).join('')}]`, 'g'), (c) => LIGATURES[c] as string],
  [/[\u3000\uff01-\uffef]/g, (c) => (c === '\u3000' ? ' ' : c.normalize('NFKC'))],
  [/[\u201c-\u201f]/g, '"'],
  [/[\u02bc\u2018-\u201b]/g, "'"],
  [/\r\n|[\r\u2028\u2029\x85]/g, '\n'],
  [/\p{Cs}/gu, '\ufffd'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are what it removes
  [/\x1b\[[\d;]*[a-zA-Z]/g, ''],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  [/[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g, ''],
];

/**
 * A prompt cleaned as the original program does before it counts tokens: ftfy's fixes, HTML unescaped
 * twice, white space collapsed. Case is left as it is.
 *
 * Of ftfy 6, the repair of mojibake is absent ("â€œ" stays as it is): no npm package has it.
 */
export function cleanText(text: string): string {
  return unescapeHtml(unescapeHtml(fixText(text)))
    .replace(/\p{White_Space}+/gu, ' ')
    .trim();
}

/** ftfy goes line by line, and takes "<" for markup: from there on, entities stay as they are. */
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

/** Repeated until nothing changes, as one fix can make room for another. */
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

/** ftfy decodes whole entities only, and besides those of HTML their all-capital spellings. */
function fixEntity(entity: string): string {
  if (entity.startsWith('&#')) {
    const decoded = unescapeHtml(entity);
    return decoded.includes(';') ? entity : decoded;
  }
  const exact = decodeHTMLStrict(entity);
  if (exact !== entity) return exact;
  const small = decodeHTMLStrict(entity.toLowerCase());
  const shouted = entity === entity.toUpperCase() && small !== entity.toLowerCase();
  return shouted && decodeHTML(entity) === entity ? small.toUpperCase() : entity;
}

const REFERENCE = /&(?:#(\d+);?|#[xX]([\da-fA-F]+);?|[^\t\n\f <&#;]{1,32};?)/gu;

/** HTML 5's character references, those without a semicolon included. */
function unescapeHtml(text: string): string {
  return text.replace(REFERENCE, (found, decimal?: string, hexadecimal?: string) => {
    if (decimal !== undefined) return character(Number.parseInt(decimal, 10));
    if (hexadecimal !== undefined) return character(Number.parseInt(hexadecimal, 16));
    return decodeHTML(found);
  });
}

/** HTML 5, "numeric character reference end state"; what is no character at all is left out. */
function character(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return '\ufffd';
  if (code === 0x0d) return '\r';
  if (code >= 0x80 && code < 0xa0) return WINDOWS_1252[code - 0x80] as string;
  const control = (code < 0x20 && !'\t\n\f'.includes(String.fromCharCode(code))) || code === 0x7f;
  const noncharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
  return control || noncharacter ? '' : String.fromCodePoint(code);
}
