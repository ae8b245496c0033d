import type { NoiseBlend } from '../images/draft-data.js';
import type { TextFeatures } from '../networks/text-encoder.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { concatTextFeatures, type PromptFeatures } from './stages/text-encoder.js';

/** What an image is generated from. Whatever is absent has its default. */
export interface Condition {
  /** Features of the prompt, one row: the prior and the decoder read them. By default, those of the empty prompt. */
  readonly text?: PromptFeatures | undefined;
  /** What the unconditional half reads. By default, features of the empty prompt. */
  readonly negative?: PromptFeatures | undefined;
  /** CLIP image embedding, `[1, E]`. By default, the prior samples it. */
  readonly imageEmbeds?: Tensor | undefined;
  /** The noise that the decoder starts from, `[1, 3, side, side]`. By default, it is drawn. */
  readonly noise?: Tensor | undefined;
  /** An image that the decoder starts from or keeps, `[1, 3, side, side]` in [-1, 1]. */
  readonly image?: Tensor | undefined;
  /** 1 where the image is repainted, 0 where it is kept, `[1, 1, side, side]`. */
  readonly mask?: Tensor | undefined;
  /** All noise is interpolated towards that of another seed. */
  readonly blend?: NoiseBlend | undefined;
}

/** The parts of a condition that are tensors. */
const tensorParts = ['imageEmbeds', 'noise', 'image', 'mask'] as const;

/** The parts of a condition that the others of its batch must have, too. */
export function partsOf(condition: Condition): string[] {
  return tensorParts.filter((part) => condition[part] !== undefined);
}

/** Frees a condition. Conditions may share parts, because disposing one twice has no effect. */
export function disposeCondition({ text, negative, ...condition }: Condition): void {
  text?.[Symbol.dispose]();
  negative?.[Symbol.dispose]();
  for (const part of tensorParts) condition[part]?.dispose();
}

/** The conditions of a call, one per prompt or image, with the same parts. */
export interface ConditionList extends Disposable {
  readonly length: number;
  /** A condition, for one batch, which releases it afterwards. */
  at(source: number): Condition;
  release(condition: Condition): void;
}

/** Conditions that exist during the whole call. */
export function listOf(conditions: readonly Condition[]): ConditionList {
  return {
    length: conditions.length,
    at: (source) => conditions[source] as Condition,
    release() {},
    [Symbol.dispose]() {
      for (const condition of conditions) disposeCondition(condition);
    },
  };
}

/** Conditions that exist during their batch only, so that memory does not grow with their number. */
export function lazyListOf(
  length: number,
  make: (source: number) => Condition,
  dispose: () => void,
): ConditionList {
  return { length, at: make, release: disposeCondition, [Symbol.dispose]: dispose };
}

/** The conditions of a batch, one row each. Either all of them or none have a part that is a tensor. */
export class ConditionBatch implements Disposable {
  readonly text: PromptFeatures;
  /** What the unconditional half of each row reads. */
  readonly unconditional: readonly TextFeatures[];
  readonly #conditions: readonly Condition[];

  /** @param empty features of the empty prompt, one row */
  constructor(conditions: readonly Condition[], empty: PromptFeatures) {
    this.#conditions = conditions;
    this.text = concatTextFeatures(conditions.map(({ text }) => text ?? empty));
    this.unconditional = conditions.map(({ negative }) => negative ?? empty);
  }

  /** A part of all conditions, for the caller to dispose; undefined if they do not have it. */
  concat(part: (typeof tensorParts)[number]): Tensor | undefined {
    const rows = this.#conditions.flatMap((condition) => condition[part] ?? []);
    return rows.length === 0 ? undefined : tidy(() => Tensor.cat(rows));
  }

  [Symbol.dispose](): void {
    this.text[Symbol.dispose]();
  }
}
