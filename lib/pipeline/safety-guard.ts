import { invalidArgument, KarloError, quote } from '../errors.js';
import { KarloDraft } from '../images/draft.js';
import { KarloImage } from '../images/karlo-image.js';
import { toPlanes } from '../images/pixels.js';
import type { Recipe } from '../images/recipe.js';
import { redact } from '../images/redact.js';
import { type RecordedVerdict, type Verdict, verdictSchema } from '../images/verdict.js';
import type { UnsafeAction } from '../options/descriptions.js';
import type { SafetyContext, SafetyOptions } from '../safety/check.js';

/** How a call is checked. */
export interface SafetySettings extends SafetyOptions {
  readonly onUnsafe?: UnsafeAction | undefined;
}

/** The same as options, which were checked as far as that is possible without calling functions. */
export interface CheckedSafetyOptions {
  readonly safety?: unknown;
  readonly onUnsafe?: UnsafeAction | undefined;
  readonly promptFilter?: unknown;
}

/** The settings of a call, completed with those of its model. */
export function mergeSafety(
  { safety, onUnsafe, promptFilter }: CheckedSafetyOptions,
  defaults: SafetySettings,
): SafetySettings {
  return {
    safety: (safety as SafetySettings['safety']) ?? defaults.safety,
    onUnsafe: onUnsafe ?? defaults.onUnsafe,
    promptFilter: (promptFilter as SafetySettings['promptFilter']) ?? defaults.promptFilter,
  };
}

type Preview = { index: number; image: KarloImage };

/**
 * Checks what a call reads and shows: its prompts, and every image before it leaves the call, whether it is finished, a
 * draft or a preview. Without checks, everything passes.
 */
export class SafetyGuard {
  readonly #settings: SafetySettings;
  readonly #signal: AbortSignal;
  readonly #verdicts: Verdict[] = [];
  /** What the user should know about images that were found unsafe. */
  readonly warnings: string[] = [];

  constructor(settings: SafetySettings, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Whether previews have to be checked: those that are kept as they are need no verdict. */
  get checksPreviews(): boolean {
    return this.#settings.safety !== undefined && this.#action !== 'keep';
  }

  /** The verdict on each image of the call, by its index; empty without a check. */
  get verdicts(): Verdict[] {
    return this.#verdicts;
  }

  get #action(): UnsafeAction {
    return this.#settings.onUnsafe ?? 'blur';
  }

  /** @throws {KarloError} ERR_KARLO_UNSAFE for a text that the prompt filter rejects */
  async checkPrompts(prompts: readonly string[]): Promise<void> {
    const { promptFilter } = this.#settings;
    if (promptFilter === undefined) return;
    const signal = this.#signal;
    for (const prompt of prompts) {
      const isAllowed: unknown = await promptFilter(prompt, { signal });
      if (isAllowed === true) continue;
      if (isAllowed === false) throw unsafe(`The prompt filter rejects ${quote(prompt)}`);
      throw invalidArgument('Expected promptFilter to return true or false', {
        argument: 'promptFilter',
      });
    }
  }

  /**
   * Checks finished images, or drafts. Unsafe ones are replaced as the settings say.
   * @param indices the place of each in the result
   * @throws {KarloError} ERR_KARLO_UNSAFE if an unsafe image is to be an error
   */
  async checkImages<T extends KarloImage>(
    images: readonly T[],
    indices: readonly number[],
  ): Promise<T[]> {
    const kind = images[0] instanceof KarloDraft ? 'draft' : 'image';
    const verdicts = await this.#verdictsOn(images, kind);
    if (verdicts === undefined) return [...images];
    return Promise.all(
      images.map((image, i) => {
        const verdict = completed(verdicts[i] as Verdict, image.recipe);
        this.#verdicts[indices[i] as number] = verdict;
        return this.#shown(image, verdict, kind);
      }),
    );
  }

  /** Checks previews. Unsafe ones are replaced; if they are to be an error, they are left out, as the image decides. */
  async checkPreviews(previews: readonly Preview[]): Promise<Preview[]> {
    const images = previews.map(({ image }) => image);
    const verdicts = await this.#verdictsOn(images, 'preview');
    const action = this.#action;
    const shown = previews.map(async (preview, i) => {
      if (!verdicts?.[i]?.unsafe || action === 'keep') return [preview];
      if (action === 'error') return [];
      const { image, index } = preview;
      return [{ index, image: new KarloImage(await redact(image, action), image.seed) }];
    });
    return (await Promise.all(shown)).flat();
  }

  async #verdictsOn(
    images: readonly KarloImage[],
    kind: SafetyContext['kind'],
  ): Promise<Verdict[] | undefined> {
    const { safety } = this.#settings;
    if (safety === undefined) return undefined;
    const context = { kind, signal: this.#signal };
    const returned: unknown = await (typeof safety === 'function'
      ? safety(images, context)
      : safety.check(images, context));
    this.#signal.throwIfAborted();
    return parseVerdicts(returned, images.length);
  }

  async #shown<T extends KarloImage>(
    image: T,
    { action: before, ...verdict }: RecordedVerdict,
    kind: 'image' | 'draft',
  ): Promise<T> {
    if (!verdict.unsafe) return withVerdict(image, image, verdict);
    const why = verdict.reasons?.length ? ` (${verdict.reasons.join(', ')})` : '';
    const what = `The ${kind} with seed ${image.seed}`;
    const action = this.#action;
    if (action === 'error') {
      throw unsafe(`${what} is unsafe${why}. Use another prompt, or another seed`);
    }
    this.warnings.push(`${what} ${happened[action]}${why}`);
    const pixels = action === 'keep' ? image : await redact(image, action);
    const recorded = action === 'keep' ? (before ?? action) : action;
    return withVerdict(image, pixels, { ...verdict, action: recorded });
  }
}

const happened = {
  blur: 'was blurred because it is unsafe',
  black: 'was blackened because it is unsafe',
  keep: 'is unsafe',
} as const;

function unsafe(message: string): KarloError {
  return new KarloError('ERR_KARLO_UNSAFE', message);
}

/** A verdict on the image of a draft that was unsafe: it stays unsafe, although it shows nothing any more. */
function completed(verdict: Verdict, recipe: Recipe | undefined): RecordedVerdict {
  const ofDraft = recipe?.verdict;
  return ofDraft?.unsafe && !verdict.unsafe ? ofDraft : verdict;
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for anything else than a verdict on each image */
function parseVerdicts(returned: unknown, count: number): Verdict[] {
  const verdicts = verdictSchema.array().length(count).safeParse(returned);
  if (verdicts.success) return verdicts.data;
  const [{ path = [], message = '' } = {}] = verdicts.error.issues;
  const where = path.length === 0 ? '' : ` at ${path.join('.')}`;
  throw invalidArgument(
    `Expected safety to return an array of ${count} verdicts, { unsafe: boolean, reasons?, scores? }, but received another value${where}: ${message}`,
    { argument: 'safety' },
  );
}

/** An image with other pixels. A draft is continued from these. */
function withVerdict<T extends KarloImage>(
  image: T,
  { width, height, data }: Pick<KarloImage, 'width' | 'height' | 'data'>,
  verdict: RecordedVerdict,
): T {
  const recipe = { ...(image.recipe as Recipe), verdict };
  const pixels = { width, height, data };
  const { seed } = image;
  if (!(image instanceof KarloDraft)) return new KarloImage(pixels, seed, recipe) as T;
  const values = data === image.data ? image.values : toPlanes(data);
  const { drawn, blend } = image;
  return new KarloDraft({ ...pixels, seed, values, drawn, blend }, recipe) as KarloImage as T;
}
