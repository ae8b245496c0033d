import type { PictureInput } from './images/decode.js';
import { Karlo } from './karlo.js';
import {
  type ImageVariationOptions,
  resolveImageVariation,
  resolveTextToImage,
  type TextToImageOptions,
} from './options/generation.js';
import { GenerationTask } from './pipeline/task.js';

/** A model that is loaded when it is first used. */
class DefaultKarlo {
  #loading: Promise<Karlo> | undefined;

  /** As Karlo's. */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    // What is wrong is told before the model is loaded.
    resolveTextToImage(prompt, options);
    return this.#run(options, (karlo, signal) => karlo.textToImage(prompt, { ...options, signal }));
  }

  /** As Karlo's. */
  imageVariation(
    image: PictureInput | readonly PictureInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    resolveImageVariation(options);
    return this.#run(options, (karlo, signal) =>
      karlo.imageVariation(image, { ...options, signal }),
    );
  }

  /** Frees the model; the next use loads it again. */
  async dispose(): Promise<void> {
    const loading = this.#loading;
    this.#loading = undefined;
    await (await loading)?.dispose();
  }

  #run(
    options: { signal?: AbortSignal },
    start: (karlo: Karlo, signal: AbortSignal) => GenerationTask,
  ): GenerationTask {
    return new GenerationTask(async (emit, signal) => {
      const task = start(await this.#load(), signal);
      for await (const event of task) emit(event);
      return task;
    }, options.signal);
  }

  #load(): Promise<Karlo> {
    const model = process.env.KARLO_MODEL;
    this.#loading ??= Karlo.load(model ? { model } : {}).catch((error) => {
      this.#loading = undefined; // what failed may be mended before the next use
      throw error;
    });
    if (!model) sayOnce();
    return this.#loading;
  }
}

let said = false;

function sayOnce(): void {
  if (said) return;
  said = true;
  process.stderr.write(
    'karlo: this is karlo-tiny, the built-in miniature. For the real one: npx karlo pull kakaobrain/karlo-v1-alpha --variations, then KARLO_MODEL=kakaobrain/karlo-v1-alpha\n',
  );
}

/**
 * A model without ceremony: loaded on first use, from the folder that KARLO_MODEL names or else the
 * built-in miniature. `await karlo.textToImage('…')` is a whole program.
 */
export const karlo = new DefaultKarlo();
