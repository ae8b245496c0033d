// npm run bench -- accuracy [--write]: the errors of operators and networks against float64, in each instruction
// set of this processor, as a table. With --write, it replaces the table in docs/guide/accuracy.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../dist/lib/torch/index.js';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs', 'guide', 'accuracy.md');
const [start, end] = ['<!-- accuracy -->\n', '\n<!-- end -->'];
const capabilities = ['avx512_bf16', 'avx512', 'avx2', 'base'];

const highest = capabilities.indexOf(version().kernels);
const rows = capabilities.slice(highest).flatMap(measure);
const table = [
  `Measured on ${cpus()[0]?.model.trim()}, LibTorch ${version().libtorch}.`,
  ...['float32', 'bfloat16'].map((dtype) => section(dtype)),
].join('\n\n');
console.log(table);
if (process.argv.includes('--write')) {
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.indexOf(start) + start.length, text.indexOf(end)];
  writeFileSync(page, `${text.slice(0, before)}\n${table}\n${text.slice(after)}`);
}

/**
 * @typedef {object} Row
 * @property {string} capability
 * @property {string} subject
 * @property {string} input
 * @property {string} dtype
 * @property {number[]} errors the largest of the kernels and of LibTorch, and the root mean squares of both
 */

/**
 * Runs the C++ tests of accuracy, which record what they measure.
 * @param {string} capability
 * @returns {Row[]}
 */
function measure(capability) {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-accuracy-'));
  const file = join(folder, 'rows.tsv');
  const env = { ...process.env, KARLO_CPU_CAPABILITY: capability, KARLO_ACCURACY_FILE: file };
  for (const program of ['ops_test', 'nets_test']) {
    const { status } = spawnSync(join(root, 'build', 'test', program), ['[accuracy]'], {
      env,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) process.exitCode = 1;
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  rmSync(folder, { recursive: true });
  return lines.map((line) => {
    const [, subject = '', input = '', dtype = '', ...errors] = line.split('\t');
    return { capability, subject, input, dtype, errors: errors.map(Number) };
  });
}

/** @param {string} dtype */
function section(dtype) {
  const names = capabilities.slice(highest);
  const ofDtype = rows.filter((row) => row.dtype === dtype);
  const first = ofDtype.filter((row) => row.capability === names[0]);
  const lines = first.map(({ subject, input, errors }) => {
    const same = ofDtype.filter((row) => row.subject === subject && row.input === input);
    const kernels = same.map((row) => both(row.errors[0], row.errors[2]));
    return `| ${subject} | ${input} | ${both(errors[1], errors[3])} | ${kernels.join(' | ')} |`;
  });
  return [
    `### ${dtype}`,
    '',
    `| | input | LibTorch | ${names.map((name) => `\`${name}\``).join(' | ')} |`,
    `| --- | --- | --- | ${names.map(() => '---').join(' | ')} |`,
    ...lines,
  ].join('\n');
}

/** @param {number | undefined} max @param {number | undefined} rms */
function both(max = Number.NaN, rms = Number.NaN) {
  return `${max.toExponential(1)} / ${rms.toExponential(1)}`;
}
