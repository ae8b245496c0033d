import { escapedJson, visibleLine, visibleText } from '../../util/visible-text.js';

// The command line prints everything here, except for images, progress and previews, which it draws itself. Nothing else
// can control a terminal.

/** Prints a line to stdout, with visible escapes in place of controls and line breaks. */
export function printLine(line: string): void {
  console.log(visibleLine(line));
}

/** Prints lines to stdout. Parts from files have to be escaped, if they can contain line breaks. */
export function printText(text: string): void {
  console.log(visibleText(text));
}

/** Prints a value to stdout as JSON, in which controls are escaped. */
export function printJson(value: unknown, indent?: number): void {
  console.log(escapedJson(JSON.stringify(value, null, indent)));
}

/** Prints a line to stderr, like {@link printLine}. */
export function reportLine(line: string): void {
  console.error(visibleLine(line));
}

/** Prints lines to stderr, like {@link printText}. */
export function reportText(text: string): void {
  console.error(visibleText(text));
}
