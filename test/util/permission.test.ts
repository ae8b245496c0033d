// Node.js's flags --no-addons and --permission: messages name the flag that a program lacks.
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { runFile } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const program = join(folder, 'program.mjs');
const image = join(folder, 'image.png');
writeFileSync(
  program,
  `import { Karlo, KarloImage, readRecipe } from '${pathToFileURL(join(root, 'dist/lib/index.js'))}';
  const pixels = { width: 1, height: 1, data: new Uint8Array(3) };
  const tasks = {
    load: async () => (await Karlo.load({ device: 'cpu', dtype: 'float32' })).dispose(),
    write: () => new KarloImage(pixels, 0).toFile(${JSON.stringify(image)}),
    read: () => readRecipe(${JSON.stringify(image)}),
  };
  try {
    await tasks[process.argv[2]]();
    console.log('done');
  } catch ({ name, message }) {
    console.log(name + ': ' + message);
  }`,
);
const major = Number(process.versions.node.split('.')[0]);
const permission = major < 23 ? '--experimental-permission' : '--permission';

/** What the program prints with these flags of Node.js. */
async function output(task: string, node: string[]): Promise<string> {
  const env = { NODE_NO_WARNINGS: '1' };
  const { stdout, stderr } = await runFile(program, [task], { node, env });
  expect(stderr).toBe('');
  return stdout.trimEnd();
}

test.each(['load', 'write'])('%s: --no-addons has to be removed', async (task) => {
  const message =
    'KarloError: Expected Node.js to allow native addons but it runs with --no-addons.';
  expect(await output(task, ['--no-addons'])).toContain(message);
});

describe('--permission', () => {
  const readAll = [permission, '--allow-fs-read=*'];
  const addons = [...readAll, '--allow-addons'];

  test.each(['load', 'write'])('%s: needs --allow-addons', async (task) => {
    const message =
      'KarloError: Expected Node.js to allow native addons but it runs with --permission.';
    expect(await output(task, readAll)).toBe(`${message} Add --allow-addons`);
  });

  test('a model loads with --allow-addons and --allow-fs-read', async () => {
    expect(await output('load', addons)).toBe('done');
  });

  test('loading names --allow-fs-read', async () => {
    const modules = realpathSync(join(root, 'node_modules'));
    const some = [root, folder, modules].map((one) => `--allow-fs-read=${one}/*`);
    const message = await output('load', [permission, '--allow-addons', ...some]);
    expect(message).toMatch(/^KarloError: .* runs with --permission\. Add --allow-fs-read=\*, or /);
  });

  test('writing needs --allow-fs-write', async () => {
    const message = `Node.js runs with --permission and without --allow-fs-write=${folder}`;
    expect(await output('write', addons)).toBe(`KarloError: Cannot write ${image}: ${message}`);
    expect(await output('write', [...addons, `--allow-fs-write=${folder}/`])).toBe('done');
    expect(await output('read', addons)).toBe('done');
  });
});
