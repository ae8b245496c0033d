import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toMarkdown } from '../compare/report.mjs';
import { median } from '../compare/statistics.mjs';

/** @typedef {import('./run-parts.mjs').Outcome} Outcome */
/** @typedef {import('../compare/statistics.mjs').Row} Row */
/** @typedef {import('../compare/report.mjs').Result & { facts: Record<string, string>, parts: readonly Outcome[] }} GpuResult */

/**
 * Writes `NAME.md` and `NAME.json`, in one step each: the run may be killed at any time.
 * @param {GpuResult} result
 * @param {string} folder
 * @param {string} name
 */
export function writeGpuReport(result, folder, name) {
  mkdirSync(folder, { recursive: true });
  const json = `${JSON.stringify(result, null, 1)}\n`;
  for (const [file, text] of Object.entries({ md: toGpuMarkdown(result), json })) {
    const path = join(folder, `${name}.${file}`);
    writeFileSync(`${path}.part`, text);
    renameSync(`${path}.part`, path);
  }
}

/** @param {GpuResult} result */
export function toGpuMarkdown(result) {
  const facts = Object.entries(result.facts).map(([name, value]) => `${name}: ${value}`);
  const notes = [...facts, ...(result.notes ?? [])];
  const parts = result.parts.map(
    ({ name, status, seconds, reason = '' }) =>
      `| ${[name, status, seconds, cell(reason)].join(' | ')} |`,
  );
  const head = ['| part | status | s | reason |', '| --- | --- | --- | --- |'];
  return `${[...head, ...parts].join('\n')}\n\n${toMarkdown({ ...result, notes })}`;
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

/** Rows above their limits, or without a value. @param {readonly Row[]} rows */
export function missedLimits(rows) {
  return rows
    .filter(({ ours, limit = Number.POSITIVE_INFINITY }) => !(median(ours) <= limit))
    .map(({ what, target }) => `missed: ${what}, ${target}`);
}
