import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { invalidArgument } from '../errors.js';
import { KarloImage } from '../images/karlo-image.js';
import { recogniseFolder } from '../layouts/index.js';
import type { Task } from '../options/descriptions.js';
import { packageFolder } from '../util/package.js';
import { absoluteErrors, type Comparison, type Finding, findingOf } from './findings.js';
import { draw, GRADIENT, type ImageCheck, PROMPT, withKarlo } from './images.js';

/** A Python with diffusers. */
export interface Reference {
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** More than the base64 of an image of 1024 x 1024 pixels. */
const maxOutputBytes = 2 ** 23;

/**
 * Finds the Python of the reference.
 * @param path a virtual environment, or its Python
 * @param folder the model's folder
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it cannot run the model
 */
export async function findReference(
  path: string,
  folder: string,
  signal: AbortSignal,
): Promise<Reference> {
  const { kind } = await recogniseFolder(folder);
  if (kind !== 'huggingface') {
    const message = `Expected a model in the Hugging Face layout for --reference but received the layout '${kind}', which diffusers cannot read`;
    throw invalidArgument(message, { argument: 'reference' });
  }
  const python = ['bin/python', 'Scripts/python.exe', '.']
    .map((file) => resolve(path, file))
    .find((file) => existsSync(file) && statSync(file).isFile());
  const wanted = 'a virtual environment with diffusers 0.33.1, or its python';
  if (python === undefined) {
    const message = `Expected ${wanted} for --reference but ${path} is neither`;
    throw invalidArgument(message, { argument: 'reference' });
  }
  try {
    return { python, versions: JSON.parse(await run(python, ['versions'], '', signal)) };
  } catch (error) {
    signal.throwIfAborted();
    const message = `Expected ${wanted} for --reference but ${python} says: ${(error as Error).message}`;
    throw invalidArgument(message, { argument: 'reference', cause: error });
  }
}

/**
 * Compares an image of each task with that of diffusers, on the CPU in float32, with the same noise. The preset
 * `fast` has diffusers' default steps.
 */
export async function* checkReference(
  { python, versions }: Reference,
  check: ImageCheck,
): AsyncGenerator<Finding, void> {
  const { folder, threads, tasks, bounds, signal } = check;
  const temporary = await mkdtemp(join(tmpdir(), 'karlo-verify-'));
  try {
    const image = join(temporary, 'image.png');
    await new KarloImage(GRADIENT, 0).toFile(image);
    const inputs = { textToImage: { prompt: PROMPT }, imageVariation: { image } };
    const place = { device: 'cpu', dtype: 'float32', threads } as const;
    for (const [task, input] of Object.entries(inputs) as [Task, object][]) {
      const about: Comparison = {
        ...{ part: 'reference', subject: task },
        comparison: `float32 against diffusers ${versions.diffusers}`,
      };
      if (!tasks[task]) {
        yield { ...about, verdict: 'skipped', reason: 'the model cannot do this task' };
        continue;
      }
      const request = JSON.stringify({ model: folder, threads, ...input });
      yield await findingOf(about, bounds.image, signal, async () => {
        const [ours] = await withKarlo(check, place, (karlo) =>
          draw(karlo, task, { seed: 0, sampling: 'fast', signal }),
        );
        const output = await run(python, ['generate'], request, signal);
        const pixels = output.trimEnd().split('\n').at(-1) as string;
        return absoluteErrors(ours as Uint8Array, Buffer.from(pixels, 'base64'));
      });
    }
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** Runs the program of the reference. Returns its stdout; rejects with its last message. */
function run(python: string, args: string[], input: string, signal: AbortSignal): Promise<string> {
  const program = join(packageFolder(), 'lib', 'verify', 'reference.py');
  const options = { signal, maxBuffer: maxOutputBytes };
  return new Promise((resolve, reject) => {
    const child = execFile(python, [program, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trimEnd().split('\n').at(-1) || error.message));
    });
    // A program that fails early does not read its input.
    child.stdin?.on('error', () => {}).end(input);
  });
}
