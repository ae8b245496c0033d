// What the generated pages of the reference share.

/**
 * A table in Markdown.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

/** Plain text, in which nothing is markup. @param {string} text */
export function plain(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll(/[<>*_{}[\]`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** @param {string} text */
export function code(text) {
  return `\`${text}\``;
}

/**
 * @param {string} language
 * @param {string} text
 */
export function block(language, text) {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** The sections of a page, apart from empty ones. @param {readonly (string | undefined)[]} parts */
export function page(...parts) {
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`;
}
