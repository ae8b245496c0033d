import type { ImageInput } from './images/decode.js';
import { Karlo } from './karlo.js';
import { resolveImageVariation, resolveTextToImage } from './options/resolve-generation.js';
import type { ImageVariationOptions, TextToImageOptions } from './options/types.generated.js';
import { GenerationTask } from './pipeline/task.js';

/** A model that is loaded on first use. */
class SharedKarlo {
  #loading: Promise<Karlo> | undefined;

  /** See {@link Karlo.textToImage}. */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    // Throws for wrong options before the model is loaded.
    resolveTextToImage(prompt, options);
    return this.#start(options, (karlo, signal) =>
      karlo.textToImage(prompt, { ...options, signal }),
    );
  }

  /** See {@link Karlo.imageVariation}. */
  imageVariation(
    image: ImageInput | readonly ImageInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    resolveImageVariation(options);
    return this.#start(options, (karlo, signal) =>
      karlo.imageVariation(image, { ...options, signal }),
    );
  }

  /** Frees the model; the next use loads it again. */
  async dispose(): Promise<void> {
    const loading = this.#loading;
    this.#loading = undefined;
    await (await loading)?.dispose();
  }

  #start(
    options: { readonly signal?: AbortSignal | undefined },
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
      this.#loading = undefined; // the next use tries again
      throw error;
    });
    if (!model) printNotice();
    return this.#loading;
  }
}

let isNoticePrinted = false;

function printNotice(): void {
  if (isNoticePrinted) return;
  isNoticePrinted = true;
  process.stderr.write(
    'karlo: using karlo-tiny, the built-in miniature. For the full model, run: npx karlo pull kakaobrain/karlo-v1-alpha --variations, then set KARLO_MODEL=kakaobrain/karlo-v1-alpha\n',
  );
}

/**
 * A shared model for quick scripts. It loads on first use: the model that `KARLO_MODEL` names, or the
 * built-in miniature. `await karlo.textToImage('…')` is a complete program.
 */
export const karlo = new SharedKarlo();
