import { expected, KarloError } from '../errors.js';
import type { Pixels } from '../images/pixels.js';
import type { Verdict } from '../images/verdict.js';
import { checkOptions } from '../options/check-options.js';
import { safetyCheckerOptions } from '../options/descriptions.js';
import type { SafetyCheckerOptions } from '../options/types.generated.js';
import { identityLabel, knownOptions } from '../options/validate.js';
import { openAhead } from '../torch/load.js';
import { defaultThreads } from '../util/processors.js';
import type { ImageChecker } from './check.js';
import { verdictOf } from './concepts.js';
import type { LoadedChecker } from './load-checker.js';

/**
 * The Stable Diffusion safety checker: compares the CLIP embeddings of images with those of unsafe concepts. Its
 * verdicts are those of `StableDiffusionSafetyChecker` in diffusers 0.33.1.
 */
export class SafetyChecker implements ImageChecker, AsyncDisposable {
  readonly #loaded: LoadedChecker;
  #disposed = false;

  private constructor(loaded: LoadedChecker) {
    this.#loaded = loaded;
  }

  /**
   * Loads a safety checker.
   * @param name that of a pulled repository, or a folder with `config.json`, `preprocessor_config.json` and
   *   `model.safetensors` or `pytorch_model.bin`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT,
   *   ERR_KARLO_DEVICE_UNAVAILABLE, ERR_KARLO_LIBTORCH_MISSING
   */
  static async load(name: string, options: SafetyCheckerOptions = {}): Promise<SafetyChecker> {
    if (typeof name !== 'string' || name === '') {
      throw expected('a name or the path of a folder', 'name', name);
    }
    const raw = knownOptions(options, Object.keys(safetyCheckerOptions), 'options');
    const scope = { path: '', label: identityLabel };
    const checked = checkOptions(safetyCheckerOptions, raw, scope);
    const threads = checked.threads ?? defaultThreads().threads;
    const opening = openAhead();
    const { loadChecker } = await import('./load-checker.js');
    return new SafetyChecker(await loadChecker(name, { ...checked, threads }, opening));
  }

  /** @internal for a model that runs its checker on its own thread */
  static of(loaded: LoadedChecker): SafetyChecker {
    return new SafetyChecker(loaded);
  }

  /**
   * Checks images.
   * @param images of any size: RGB, row-major, 8 bits per channel
   * @returns the verdict on each: unsafe with a score above 0 for one of the concepts. A score is the cosine of the
   *   embeddings minus the threshold of the concept, rounded to three decimals
   * @throws {KarloError} ERR_KARLO_DISPOSED, ERR_KARLO_MODEL_CORRUPT if a file was changed since it was loaded
   */
  async check(
    images: readonly Pixels[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Verdict[]> {
    const embeddings = await this.embed(images, signal);
    return embeddings.map((embedding) => verdictOf(embedding, this.#loaded.concepts));
  }

  /**
   * The CLIP embeddings that are compared with those of the concepts.
   * @internal
   */
  async embed(images: readonly Pixels[], signal?: AbortSignal): Promise<Float32Array[]> {
    if (this.#disposed) {
      throw new KarloError('ERR_KARLO_DISPOSED', 'The safety checker was disposed');
    }
    return await this.#loaded.embed(images, signal);
  }

  /** Waits for checks in progress, and frees the weights. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#loaded.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
