// Every shell block of the guides, in an empty project for each page, from top to bottom, and every request of the HTTP
// reference. A block that cannot run here is marked in the Markdown by a comment before it: <!-- not run: REASON -->.
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { examples } from '../../scripts/docs/http-examples.mjs';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { heart } from '../serve/helpers/server.js';
import { type Block, blocksOf, markdownPages } from '../support/markdown-blocks.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const parent = temporaryFolder();
const main = join(root, 'dist', 'lib', 'cli', 'main.js');
const untilReady = join(root, 'test', 'package', 'programs', 'serve-until-ready.mjs');

const blocks = markdownPages().flatMap(blocksOf);
const programs = blocks.filter(({ language }) => ['js', 'ts', 'python', 'sh'].includes(language));
// test/clients runs those of the Python package's command.
const isShell = ({ language, code }: Block) => language === 'sh' && !code.startsWith('openai ');
const pages = markdownPages()
  .map((page) => ({ page, own: blocks.filter(({ name }) => name.startsWith(`${page}:`)) }))
  .map(({ page, own }) => ({ page, own: own.filter(isShell).filter(({ reason }) => !reason) }))
  .filter(({ own }) => own.length > 0);

let url: string;
beforeAll(async () => {
  writePrograms();
  await shell('images with recipes', 'npx karlo "a red heart" --seed 0 -o heart.png', parent);
  await shell('images with recipes', 'npx karlo vary heart.png --seed 0 -o variation.png', parent);
  url = urlOf(
    await karlo(['serve', '--port', '0', '--rate-limit', '0', '--compat', 'openai', 'a1111']),
  );
});

test.each(pages)('the commands of $page run', { timeout: 300_000 }, async ({ page, own }) => {
  const folder = await project(page);
  for (const { name, code } of own) await shell(name, code, folder);
});

test('the requests of the HTTP reference succeed', { timeout: 120_000 }, async () => {
  const folder = await project('http');
  for (const [name, code] of Object.entries(examples)) await shell(name, code, folder);
});

// Says how many blocks are not run, and why.
afterAll(() => {
  const reasons = programs.map(({ reason }) => reason).filter((reason) => reason !== undefined);
  const run = programs.length - reasons.length;
  const list = [...new Set(reasons)].map((reason) => `${reason}: ${count(reasons, reason)}`);
  console.log(`${run} blocks run, ${reasons.length} not run (${list.join('; ')})`);
});

function count(all: string[], one: string): number {
  return all.filter((other) => other === one).length;
}

/** Runs commands as they are pasted; each of them has to succeed. */
async function shell(name: string, code: string, folder: string): Promise<void> {
  const env = {
    ...process.env,
    PATH: [join(parent, 'bin'), process.env.PATH].join(delimiter),
    // Curl reads .curlrc there, by which a status from 400 on is a failure.
    CURL_HOME: parent,
    NO_PROXY: '127.0.0.1',
  };
  const script = `set -e\n${code.replaceAll('http://127.0.0.1:8080', url)}`;
  const options = { cwd: folder, env, maxBuffer: 1e8 };
  const failure = await promisify(execFile)('/bin/sh', ['-c', script], options).catch(
    ({ code, stderr }) => ({ code, stderr }),
  );
  expect({ name, ...('code' in failure && failure) }).toEqual({ name });
}

/** An empty project, as `npm init -y` and `npm install` leave it, with the files that the guides speak of. */
async function project(page: string): Promise<string> {
  const folder = join(parent, page.replaceAll(/\W/g, '-'));
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules', 'karlo'));
  await sharp(heart).toFile(join(folder, 'photo.jpg'));
  const black = { width: 128, height: 128, channels: 3, background: 'black' } as const;
  const white = { ...black, width: 64, height: 64, background: 'white' } as const;
  const middle = await sharp({ create: white }).png().toBuffer();
  await sharp({ create: black })
    .composite([{ input: middle }])
    .toFile(join(folder, 'mask.png'));
  for (const name of ['heart.png', 'variation.png']) {
    copyFileSync(join(parent, name), join(folder, name));
  }
  writeFileSync(join(folder, 'prompts.txt'), 'a red heart\na blue star\n');
  writeFileSync(join(folder, 'captions.txt'), 'a red heart\na blue star\na green ring\n');
  return folder;
}

/**
 * `npx` and `npm` of a project whose packages are installed: they find the program and the packages there, without
 * npm's own start. A server runs until it is ready.
 */
function writePrograms(): void {
  const node = `'${process.execPath}'`;
  const programs = {
    npx: `#!/bin/sh
case "$1 $2" in
  'karlo serve') shift 2; exec ${node} '${untilReady}' "$@" ;;
  'karlo mcp') shift; exec ${node} '${main}' "$@" < /dev/null ;; # until its client is gone
  karlo' '*) shift; exec ${node} '${main}' "$@" ;;
esac
echo "npx $*: the project has no such program" >&2
exit 1
`,
    npm: `#!/bin/sh
case "$1" in
  init) echo '{}' > package.json ;;
  install) ;;
  *) echo "npm $*: expected init or install" >&2; exit 1 ;;
esac
`,
  };
  mkdirSync(join(parent, 'bin'));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(parent, 'bin', name), text);
    chmodSync(join(parent, 'bin', name), 0o755);
  }
  writeFileSync(join(parent, '.curlrc'), 'fail-with-body\nsilent\nshow-error\n');
}
