// What the README says of names: codes, options, commands and files that exist, and all of them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../native/run-program.js';
import { root } from './package-copy.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found as string);

test('it explains every error code, and no other', () => {
  const codes = all(read('lib/errors.ts'), /^ {2}\| '(ERR_KARLO_\w+)'/gm);
  expect(codes.length).toBeGreaterThan(10);
  expect(all(readme, /^\| `(ERR_KARLO_\w+)` \|/gm).sort()).toEqual(codes.sort());
});

test.each([
  ['lib/karlo.ts', 'KarloOptions'],
  ['lib/options/generation.ts', 'StageOptions'],
  ['lib/options/generation.ts', 'GenerationOptions'],
  ['lib/options/generation.ts', 'TextToImageOptions'],
  ['lib/options/generation.ts', 'ImageVariationOptions'],
])('%s: its tables name every option of %s', (file, name) => {
  const [, body = ''] = new RegExp(`interface ${name}.*?\\{\n([^]*?)\n\\}`).exec(read(file)) ?? [];
  const options = all(body, /^ {2}(?:readonly )?(\w+)\?:/gm);
  expect(options).not.toEqual([]);
  const tables = readme.slice(readme.indexOf('## Options'), readme.indexOf('## Speed'));
  for (const option of options) expect(tables).toMatch(new RegExp(`\\b${option}\\b`));
});

test('every command and every script that it names exists', async () => {
  const { stdout } = await runProgram('dist/lib/cli/main.js', ['--help']);
  const commands = all(readme, /npx karlo ([a-z]+)\b/g);
  expect(commands).toContain('pull');
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  const { scripts } = JSON.parse(read('package.json'));
  const names = all(readme, /npm run (?:--silent )?([\w:]+)/g);
  expect(names).toContain('prebuild');
  for (const name of names) expect(Object.keys(scripts)).toContain(name);
});

test.each(['README.md', 'CONTRIBUTING.md', 'NOTICE.md', 'examples/README.md'])(
  '%s: every file that it links is there',
  (file) => {
    for (const link of all(read(file), /\]\(((?!https?:|#)[^)]+)\)/g)) {
      expect(existsSync(join(root, file, '..', link)), link).toBe(true);
    }
  },
);
