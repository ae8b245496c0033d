import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, ratio } from './statistics.mjs';

/** @typedef {import('./statistics.mjs').Row} Row */

/**
 * One run of the comparison.
 * @typedef {object} Result
 * @property {string} date
 * @property {import('./machine.mjs').Machine} machine
 * @property {Record<string, string> | undefined} reference its versions; undefined: only this package
 * @property {string[]} [notes] what failed or did not finish
 * @property {boolean} quick too few rounds to publish
 * @property {number} disturbance the largest share of a core that a waiting side used
 * @property {Row[]} rows
 */

/** @param {number} value */
function figure(value) {
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** The median, and the lowest and highest if there are several. @param {number[] | undefined} values */
function cell(values) {
  if (values === undefined || values.length === 0) return '';
  const middle = figure(median(values));
  if (values.length === 1) return middle;
  return `${middle} (${figure(Math.min(...values))} to ${figure(Math.max(...values))})`;
}

/** @param {Row} row */
function line(row) {
  const times = ratio(row);
  const { what, unit, ours, theirs, target = '', extrapolated } = row;
  const [mine, reference] = [cell(ours), cell(theirs)];
  const label = extrapolated ? `${what} (extrapolated)` : what;
  const quotient = times === undefined ? '' : figure(times);
  return `| ${[label, unit, mine, reference, quotient, target].join(' | ')} |`;
}

/**
 * The run as Markdown: facts, then a table.
 * @param {Result} result
 */
export function toMarkdown({ date, machine, reference, notes = [], quick, disturbance, rows }) {
  const versions = Object.entries(reference ?? {}).map(([name, version]) => `${name} ${version}`);
  const facts = [
    `${date.slice(0, 10)}, ${machine.processor}, ${machine.memoryGigabytes} GB, ${machine.platform}`,
    `device ${machine.device}, ${machine.threads} threads on each side`,
    `Node ${machine.node}, LibTorch ${machine.libtorch}`,
    reference ? `Reference: ${versions.join(', ')}; rounds alternate` : 'Without a reference',
    'Medians, with the lowest and highest value; a ratio above 1 favours karlo',
    ...(rows.some(({ extrapolated }) => extrapolated)
      ? ['Extrapolated: measured steps, times their number']
      : []),
    ...(quick ? ['QUICK: one round each, not for publication'] : []),
    ...(disturbance > 0.05
      ? [`The waiting side used up to ${Math.round(100 * disturbance)} % of a core`]
      : []),
    ...notes,
  ];
  const head = [
    '| what | unit | karlo | reference | ratio | target |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [...facts.map((fact) => `- ${fact}`), '', ...head, ...rows.map(line), ''].join('\n');
}

/**
 * Writes `NAME.md`, and `NAME.json` with every sample.
 * @param {Result} result
 * @param {string} folder
 * @param {string} name
 */
export function writeReport(result, folder, name) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), toMarkdown(result));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`);
}
