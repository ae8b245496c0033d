// A process that may open few files, as after `ulimit -n 64`. Node.js itself needs about 20, and opens the modules of an
// import at the same time.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const main = 'dist/lib/cli/main.js';
const folder = temporaryFolder();
const image = 'test/fixtures/pictures/heart-0.png';

/** Runs Node.js with a limit of open files. */
async function runLimited(files: number, args: readonly string[]) {
  const command = `ulimit -n ${files} && exec "$@"`;
  const child = spawn('sh', ['-c', command, 'sh', process.execPath, ...args]);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return { stdout, stderr, status };
}

describe.runIf(process.platform !== 'win32')('with few open files', () => {
  test.each([
    ['info'],
    ['info', image],
    ['a ring', '--output', join(folder, 'ring.png')],
    ['vary', image, '--output', join(folder, 'variation.png')],
    ['convert', 'karlo-tiny', join(folder, 'converted')],
    ['serve', '--port', '0'],
  ])('karlo %s %s works or says how to raise the limit', async (...args) => {
    for (const files of [36, 50, 64]) {
      const { stderr, status } = await runLimited(files, [main, ...args]);
      if (status === 0) continue; // in a version of Node.js that opens fewer files
      expect(stderr).toMatch(
        new RegExp(
          `^ERR_KARLO_TOO_MANY_FILES: Expected to open one more file but the process has reached its limit of ${files} open files and connections\\. Raise the limit: ulimit -n 4096`,
        ),
      );
      expect(status).toBe(1);
    }
  });

  test('--json reports it as JSON', async () => {
    const { stdout, status } = await runLimited(50, [main, 'info', '--json']);
    const { error } = JSON.parse(stdout);
    expect(error?.code).toBe(status === 0 ? undefined : 'ERR_KARLO_TOO_MANY_FILES');
  });

  // Opens files until none is left, and closes them again.
  const program = `
    import { closeSync, openSync } from 'node:fs';
    import { Karlo, readRecipe } from './dist/lib/index.js';
    const [residency, image, output] = process.argv.slice(1);
    const steps = { seed: 1, decoder: { steps: 2 }, upsample: { steps: 2 } };
    const load = () => Karlo.load({ device: 'cpu', dtype: 'float32', residency });
    const karlo = await load();
    const [ring] = (await karlo.textToImage('a ring', steps)).images;
    const files = [];
    try {
      for (;;) files.push(openSync('/dev/null'));
    } catch {}
    const attempts = {
      load,
      generate: () => karlo.textToImage('a ring', steps),
      vary: () => karlo.imageVariation(image, steps),
      write: () => ring.toFile(output),
      read: () => readRecipe(image),
    };
    const errors = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      const error = await attempt().then(() => {}, (reason) => reason);
      if (error) errors[name] = { name: error.name, code: error.code, hasFix: error.message.includes('ulimit -n') };
    }
    for (const file of files) closeSync(file);
    await karlo.textToImage('a ring', steps);
    await ring.toFile(output);
    await readRecipe(output);
    console.log(JSON.stringify(errors));
  `;

  test.each(['resident', 'staged'])(
    'a %s model that was loaded before rejects with what to do, and works again afterwards',
    async (residency) => {
      const args = [
        '--input-type=module',
        '--eval',
        program,
        residency,
        image,
        join(folder, 'ring.png'),
      ];
      const { stdout, stderr, status } = await runLimited(200, args);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      const failed = (code: string) => ({ name: 'KarloError', code, hasFix: true });
      const tooMany = failed('ERR_KARLO_TOO_MANY_FILES');
      expect(JSON.parse(stdout)).toEqual({
        load: tooMany,
        ...(residency === 'staged' && { generate: tooMany }),
        vary: failed('ERR_KARLO_INVALID_ARGUMENT'),
        write: failed('ERR_KARLO_WRITE'),
        read: failed('ERR_KARLO_INVALID_ARGUMENT'),
      });
    },
  );
});
