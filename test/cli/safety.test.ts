import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { decodeImage } from '../../lib/images/decode.js';
import { writeRandomChecker } from '../fixtures/random-checker.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);
const short = [
  '--prior-steps',
  '2',
  '--decoder-steps',
  '2',
  '--upsample-steps',
  '1',
  '--seed',
  '3',
];

let unsafe: string;
beforeAll(async () => {
  unsafe = await writeRandomChecker(join(folder, 'unsafe'), 'unsafe');
});

test('--safety blurs unsafe images, and says so', async () => {
  const file = join(folder, 'heart.png');
  const { status, stdout } = await karlo(
    'a heart',
    '--safety',
    unsafe,
    '-o',
    file,
    '--json',
    ...short,
  );
  const report = JSON.parse(stdout);
  expect(report.warnings[0]).toMatch('The image with seed 3 was blurred because it is unsafe');
  expect(report.pictures[0].verdict).toMatchObject({ unsafe: true, action: 'blur' });
  expect(status).toBe(0);
  const info = await karlo('info', file);
  expect(info.stdout).toMatch(/safety check +unsafe \(concept 0.*\), blurred/);
});

test('--on-unsafe black', async () => {
  const file = join(folder, 'black.png');
  await karlo('a heart', '--safety', unsafe, '--on-unsafe', 'black', '-o', file, ...short);
  const { data } = await decodeImage(file);
  expect(data.every((value) => value === 0)).toBe(true);
});

test('--on-unsafe error writes nothing', async () => {
  const file = join(folder, 'none.png');
  const flags = ['--safety', unsafe, '--on-unsafe', 'error', '-o', file];
  const { status, stderr } = await karlo('a heart', ...flags, ...short);
  expect(status).toBe(1);
  expect(stderr).toMatch('ERR_KARLO_UNSAFE: The image with seed 3 is unsafe');
  expect(existsSync(file)).toBe(false);
});

test.each([
  [['--on-unsafe', 'black'], 2, 'without one, --on-unsafe has no effect'],
  [['--safety', '.', '--on-unsafe', 'blue'], 2, 'for --on-unsafe'],
  [['--safety', 'CompVis/checker'], 1, 'npx karlo pull CompVis/checker'],
  [['--safety', 'models/karlo-tiny'], 1, 'Expected a safety checker in'],
])('rejects %j', async (flags, expected, message) => {
  const { status, stderr } = await karlo(
    'a heart',
    ...flags,
    '-o',
    join(folder, 'x.png'),
    ...short,
  );
  expect(stderr).toMatch(message);
  expect(status).toBe(expected);
});
