import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 300_000 });

const folder = temporaryFolder();
const file = join(folder, 'captions.tsv');
const program = 'dist/lib/cli/main.js';
const short = ['--prior-steps', '2', '--decoder-steps', '3', '--upsample-steps', '1'];
const placement = ['--dtype', 'float32', '--batch-size', '4'];
const evaluate = (output: string, ...args: string[]) =>
  runProgram(program, ['eval', file, '-o', join(folder, output), ...short, ...placement, ...args]);

beforeAll(() => {
  const shapes = ['heart', 'star', 'ring', 'moon', 'cross', 'square', 'circle', 'diamond'];
  writeFileSync(file, `caption\tsource\n${shapes.map((shape) => `a red ${shape}\tx\n`).join('')}`);
});

test('a table with a row for each setting is printed and written', async () => {
  const flags = ['--limit', '2', '--sampling', 'turbo,fast', '--decoder-guidance', '4,8'];
  const { status, stdout, stderr } = await evaluate('rows', ...flags);
  expect(status).toBe(0);
  expect(stdout).toContain('| Sampling step | Guidance | CLIP-s (karlo-tiny) |');
  const rows = stdout.split('\n').filter((line) => line.startsWith('| Prior (2) +'));
  expect(rows.map((row) => row.split(' | ')[1])).toEqual(['4 / 4', '4 / 8', '4 / 4', '4 / 8']);
  expect(readFileSync(join(folder, 'rows', 'report.md'), 'utf8')).toBe(stdout);
  expect(stderr).toContain('Generating images: 8 of 8');
  expect(stderr).toContain(`Wrote ${join(folder, 'rows', 'report.md')}`);
  const folders = ['fast-4-4', 'fast-4-8', 'turbo-4-4', 'turbo-4-8'];
  const files = [...folders, 'report.json', 'report.md'];
  expect(readdirSync(join(folder, 'rows')).sort()).toEqual(files.sort());
});

test('a preset has the published figures, and flags change its settings', async () => {
  const { status, stdout } = await evaluate('preset', '--preset', 'karlo-coco', '--limit', '1');
  expect(status).toBe(0);
  expect(stdout.match(/Prior \(2\) \+ Decoder \(3\)/g)).toHaveLength(2);
  expect(stdout).toContain('| Sampling step | CLIP-s (ViT-B/16) | FID (30k from val) |');
  expect(stdout).toContain('| Prior (25) + Decoder (50) + SR (7) | 0.3192 | 14.43 |');
});

test('--json prints the report', async () => {
  const { status, stdout } = await evaluate('json', '--limit', '1', '--json');
  expect(status).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ format: 1, captions: { count: 1 }, seed: 0 });
  expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'json', 'report.json'), 'utf8')));
});

test('an interruption says how to continue, and the next run does', async () => {
  const output = join(folder, 'interrupted');
  const args = ['eval', file, '-o', output, ...placement, '--decoder-steps', '40'];
  const child = spawn(process.execPath, [resolve(program), ...args], { stdio: 'pipe' });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.resume();
  const closed = new Promise<number | null>((done) => {
    child.on('close', done);
  });
  const images = join(output, 'fast-4-8');
  const pngs = () => readdirSync(images).filter((name) => name.endsWith('.png'));
  await expect.poll(() => existsSync(images) && pngs().length > 0, { interval: 5 }).toBe(true);
  child.kill('SIGINT');
  expect(await closed).toBe(130);
  const count = pngs().length;
  expect(count).toBeLessThan(8);
  expect(stderr).toContain(`Interrupted: ${count} of 8 images are in ${output}. To continue`);
  const again = await runProgram(program, args);
  expect(again.status).toBe(0);
  expect(pngs()).toHaveLength(8);
  expect(readdirSync(images)).toHaveLength(9);
});

test('a part of the images is generated with --shard', async () => {
  const { status, stderr } = await evaluate('shard', '--shard', '2/4');
  expect(status).toBe(0);
  expect(stderr).toContain('Generated 2 images of part 2/4');
  expect(existsSync(join(folder, 'shard', 'report.md'))).toBe(false);
});

test.each([
  [['--preset', 'karlo'], 2, 'Expected one of karlo-coco, karlo-cc3m for --preset'],
  [['--sampling', 'fast,slow'], 2, "for --sampling but received 'slow'"],
  [['--decoder-guidance', '4,x'], 2, 'Expected a number'],
  [['--limit', '0'], 2, 'for --limit but received 0'],
  [['--shard', '5/4'], 2, 'such as 2/4'],
  [['--reference', 'nowhere'], 1, 'nowhere: the file does not exist'],
  [['--seed', '1'], 1, 'Expected 0 for seed'],
])('%s is an error before anything is loaded', async (flags, status, message) => {
  const result = await evaluate(flags[0] === '--seed' ? 'json' : 'unused', ...flags);
  expect(result).toMatchObject({ status, stdout: '' });
  expect(result.stderr).toContain(message);
});
