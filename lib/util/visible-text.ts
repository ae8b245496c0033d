// Text from files, servers and arguments can contain characters that control a terminal: move its cursor, set its title
// or clipboard, or reverse the direction in which the text is read.

/** Control characters (C0, C1), line separators, direction controls and half characters. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text on one line, with visible escapes in place of controls: `\n`, `\x1b`, `\u202e`. */
export function visibleLine(text: string): string {
  return text.replace(controls, (control) => {
    const code = control.charCodeAt(0).toString(16);
    return short[control] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`);
  });
}

/** The same for a text of several lines, with tabs. */
export function visibleText(text: string): string {
  return text.replace(/[^\t\n]+/g, (part) => visibleLine(part.replace(/\r$/, '')));
}

/** A JSON document in which `JSON.stringify` has left no control unescaped: `\u009b`, `\u202e`. */
export function escapedJson(json: string): string {
  return json.replace(controls, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(4, '0');
    return control === '\n' ? control : `\\u${code}`;
  });
}
