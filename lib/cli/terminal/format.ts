import { visibleLine } from '../../util/visible-text.js';

/** Labels and texts in two columns, each on one line. */
export function formatRows(rows: readonly (readonly [label: string, text: string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${visibleLine(text)}`).join('\n');
}
