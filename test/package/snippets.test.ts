// Every JavaScript and TypeScript block of the guides, and every example of the API reference, pasted into an empty
// project. A block that cannot run here is
// marked in the Markdown by a comment before it: <!-- not run: REASON -->.
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import sharp from 'sharp';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { root } from '../../scripts/build/ready.mjs';
import { heart, start } from '../serve/helpers/server.js';
import { type Block, blocksOf, exampleBlocks, markdownPages } from '../support/markdown-blocks.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const all = markdownPages().flatMap(blocksOf);
const isProgram = ({ language }: Block) => ['js', 'ts'].includes(language);
// nsfwjs is installed for test/package/nsfwjs.test.ts only.
const programs = all.filter((block) => isProgram(block) && !block.code.includes("'nsfwjs'"));
// The programs of docs/guide/clients.md need a more lenient server: test/clients runs them.
const runnable = programs.filter(
  ({ name, reason }) => reason === undefined && !name.startsWith('docs/guide/clients.md'),
);
/** The examples of the API reference. */
const examples = exampleBlocks('lib/karlo.ts');
const checked = [...programs, ...examples];
const parent = temporaryFolder();

/** An empty project, as `npm init -y` and `npm install` leave it, with the files that programs read. */
async function emptyProject(name: string): Promise<string> {
  const folder = join(parent, name.replaceAll(/\W/g, '-'));
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/karlo'));
  for (const dependency of ['ai', '@ai-sdk', '@langchain', 'openai', '@types']) {
    symlinkSync(join(root, 'node_modules', dependency), join(folder, 'node_modules', dependency));
  }
  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "type": "commonjs" }');
  await sharp(heart).toFile(join(folder, 'photo.jpg'));
  return folder;
}

test('the guides have no programs in another language', () => {
  const others = all.filter((block) => !isProgram(block)).map(({ language }) => language);
  expect(new Set(others)).toEqual(new Set(['sh', 'ini', 'python', 'json', 'text']));
});

test('settings in JSON can be parsed', () => {
  const settings = all.filter(({ language }) => language === 'json');
  expect(settings.length).toBeGreaterThan(2);
  for (const { code } of settings) expect(() => JSON.parse(code), code).not.toThrow();
});

test.each(runnable)('$name runs twice', { timeout: 120_000 }, async (block) => {
  const folder = await emptyProject(block.name);
  for (const _time of ['first', 'second']) await runIn(folder, block);
});

test('the main methods have examples, which run', { timeout: 300_000 }, async () => {
  expect(examples.length).toBeGreaterThan(10);
  for (const block of examples) await runIn(await emptyProject(block.name), block);
});

async function runIn(folder: string, { language, code }: Block): Promise<void> {
  const { url } = await start();
  const js =
    language === 'ts' ? transformSync(code, { loader: 'ts', target: 'node20' }).code : code;
  writeFileSync(join(folder, 'program.mjs'), js.replace('http://127.0.0.1:8080', url));
  const env = {
    ...process.env,
    KARLO_CACHE: join(parent, 'cache'),
    KARLO_LIBTORCH: findLibTorch().folder,
  };
  await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder, env });
}

/** Those of missing names, for JavaScript. */
const missingNames = [2304, 2307, 2552];

test('every program compiles, and imports what it uses', { timeout: 60_000 }, async () => {
  const folder = await emptyProject('types');
  const files = checked.map(({ language, code }, i) => {
    const file = join(folder, `${i}.m${language}`);
    writeFileSync(file, `export {};\n${code}`);
    return file;
  });
  const { options } = ts.convertCompilerOptionsFromJson(
    { target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable'], module: 'NodeNext', strict: true },
    dirname(folder),
  );
  const flags = { allowJs: true, checkJs: true, noEmit: true, skipLibCheck: true };
  const program = ts.createProgram(files, { ...options, ...flags, types: ['node'] });
  const problems = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file, code }) => file?.fileName.endsWith('.mts') || missingNames.includes(code))
    .map(({ file, messageText }) => [
      checked[Number.parseInt(file?.fileName.slice(folder.length + 1) ?? '', 10)]?.name,
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    ]);
  expect(problems).toEqual([]);
});
