import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { coloursOf, palette } from '../../bench/quality/colours.mjs';
import { cases } from '../../bench/quality/prompts.mjs';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('the judge names the colours of a painted square', () => {
  const side = 32;
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    const inside = Math.min(x, y, side - 1 - x, side - 1 - y) >= 9;
    data.set(palette[inside ? 'purple' : 'cyan'] as readonly number[], 3 * i);
  }
  expect(coloursOf({ width: side, data })).toEqual({ background: 'cyan', shape: 'purple' });
});

test('the prompts are distinct, with every pair of colours', () => {
  const scenes = cases(132);
  expect(new Set(scenes.map(({ colour, background }) => `${colour} ${background}`)).size).toBe(132);
  expect(new Set(cases(300).map(({ prompt }) => prompt)).size).toBe(300);
  expect(new Set(scenes.slice(0, 40).map(({ colour }) => colour)).size).toBe(12);
});

test('the quick benchmark draws a plot and a table, and a second run measures nothing again', async () => {
  const output = temporaryFolder();
  const run = () => runProgram('bench/quality.mjs', ['--quick', '--output', output]);
  const first = await run();
  expect(first, first.stderr).toMatchObject({ status: 0 });
  expect(first.stderr).toContain('reference images 8 of 8');
  const read = (extension: string) => readFileSync(join(output, `quality.${extension}`), 'utf8');
  expect(read('md')).toMatch(/\| decoder dpm\+\+ 4 0-1 \| 2 \| [\d.]+ % \|/);
  expect(read('svg')).toMatch(/^<svg [\s\S]*<polyline[\s\S]*<\/svg>\n$/);
  const result = read('json');
  const second = await run();
  expect(second).toMatchObject({ status: 0, stderr: '' });
  expect(read('json')).toBe(result);
}, 300_000);
