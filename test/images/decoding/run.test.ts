import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../../lib/images/decode.js';
import { runDecoding } from '../../../lib/images/decoding/run.js';
import { defaultLimits } from '../../../lib/images/input-limits.js';
import { featureExtractorConfig } from '../../../lib/images/preprocessor-config.js';
import { toSquare } from '../../../lib/images/square.js';
import { runProgram } from '../../support/run-program.js';
import { blackPng } from '../helpers/hostile.js';

const square = { config: featureExtractorConfig.parse({}), edge: 224, fit: 'cover' } as const;
const options = { label: 'image', limits: defaultLimits, square };

const noise = () =>
  sharp({
    create: {
      ...{ width: 300, height: 200, channels: 3, background: 'red' },
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  });

test.each(['png', 'jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)(
  'a process decodes %s to the same square and hash as this process',
  async (format) => {
    const bytes = await noise().toFormat(format).toBuffer();
    const { hash, ...pixels } = await decodeImage(bytes);
    const own = { hash, square: await toSquare(pixels, square) };
    const prepared = await runDecoding('prepare', bytes, options);
    expect(prepared.hash).toBe(own.hash);
    expect(Buffer.compare(prepared.square, own.square)).toBe(0);
  },
);

test('errors are the same as in this process', async () => {
  const bytes = (await noise().jpeg().toBuffer()).subarray(0, 4000);
  const own = await decodeImage(bytes).catch((error) => error);
  const error = await runDecoding('prepare', bytes, options).catch((reason) => reason);
  expect(error).toMatchObject({
    ...{ name: 'KarloError', code: 'ERR_KARLO_INVALID_ARGUMENT', argument: 'image' },
    message: own.message,
  });
});

test('only the decoders of accepted formats can run', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  expect((await sharp(svg).metadata()).format).toBe('svg');
  await expect(runDecoding('prepare', svg, options)).rejects.toMatchObject({
    message: expect.stringMatching(/it is damaged/),
    cause: expect.objectContaining({ message: expect.stringMatching(/unsupported image format/) }),
  });
});

describe('an image that takes long', () => {
  const tall = blackPng(1, 40_000_000);
  const limits = { pixels: 40e6, side: 40e6 };

  /** The processes that decode, as children of this one. */
  function processes(): number[] {
    const lines = execFileSync('ps', ['-A', '-o', 'ppid=,pid=,args='], { encoding: 'utf8' });
    const own = new RegExp(`^\\s*${process.pid}\\s+(\\d+)\\s.*decoding`, 'gm');
    return [...lines.matchAll(own)].map(([, pid]) => Number(pid));
  }

  test('is abandoned at once after an abort, and delays no other image', async () => {
    const small = await noise().png().toBuffer();
    await runDecoding('prepare', small, options);
    const controller = new AbortController();
    const decoding = runDecoding('prepare', tall, { ...options, limits }, controller.signal);
    const aborted = decoding.catch((reason) => reason);
    // While it is being decoded, another one is.
    await runDecoding('prepare', small, options);
    const before = processes();
    controller.abort('enough');
    expect(await aborted).toBe('enough');
    await runDecoding('prepare', small, options);
    while (processes().length >= before.length) await sleep(10);
  });

  /** Decodes the image, and sends a signal to all processes until that ends. */
  async function decodeWithSignal(signal: NodeJS.Signals): Promise<unknown> {
    let isDone = false;
    const decoding = runDecoding('prepare', tall, { ...options, limits }).finally(() => {
      isDone = true;
    });
    decoding.catch(() => {});
    while (!isDone) {
      sendToProcesses(signal);
      await sleep(10);
    }
    return decoding;
  }

  function sendToProcesses(signal: NodeJS.Signals): void {
    for (const pid of processes()) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // It has ended since it was listed.
        expect(error).toMatchObject({ code: 'ESRCH' });
      }
    }
  }

  const onPosix = test.skipIf(process.platform === 'win32');

  onPosix('is damaged if it crashes its process', async () => {
    const decoding = decodeWithSignal('SIGSEGV');
    await expect(decoding).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: expect.stringMatching(/it is damaged/),
      cause: expect.objectContaining({ message: expect.stringMatching(/SIGSEGV/) }),
    });
    const small = await noise().png().toBuffer();
    expect((await runDecoding('prepare', small, options)).square).toHaveLength(3 * 224 * 224);
  });

  onPosix('is decoded again if an unused process had ended', async () => {
    const small = await noise().png().toBuffer();
    await runDecoding('prepare', small, options);
    const decoding = runDecoding('prepare', small, options);
    sendToProcesses('SIGKILL');
    expect((await decoding).square).toHaveLength(3 * 224 * 224);
  });

  onPosix('is rejected after the time that its limits allow', async () => {
    // A stopped process takes longer than any limit, on every machine.
    await expect(decodeWithSignal('SIGSTOP')).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: 'Cannot read the image: it takes longer than 20 s to decode. Resize it first',
    });
  });
});

describe('a program', () => {
  const program = 'test/images/helpers/decode-once.mjs';

  test('ends although a decoding process is unused', async () => {
    const start = performance.now();
    const { status, stdout, stderr } = await runProgram(program);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(performance.now() - start).toBeLessThan(9000);
  });

  test('that must not start processes decodes in its own', async () => {
    const own = await runProgram(program);
    const [major = 0] = process.versions.node.split('.').map(Number);
    const permission = major < 23 ? '--experimental-permission' : '--permission';
    const flags = [permission, '--allow-fs-read=*', '--allow-addons', '--no-warnings'];
    const restricted = await runProgram(program, [], { node: flags });
    expect(restricted).toMatchObject({ status: 0, stdout: own.stdout, stderr: '' });
  });
});
