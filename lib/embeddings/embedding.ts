import { expected, invalidArgument } from '../errors.js';
import { integer, object, oneOf } from '../options/validate.js';
import { fromBase64, toBase64 } from './float32-base64.js';
import { cosineOf } from './sphere.js';

/** Whether an embedding is CLIP's of an image, or a sample of the prior (`image`), or CLIP's of a text (`text`). */
export type EmbeddingKind = 'image' | 'text';
const kinds = ['image', 'text'] as const satisfies readonly EmbeddingKind[];

/** The model that an embedding belongs to: its name, and the hash of its files. */
export interface EmbeddingModel {
  /** Name of the model. */
  readonly name: string;
  /** In hex. */
  readonly sha256: string;
}

/** An embedding as JSON. */
export interface EmbeddingJson {
  /** Version of the format. */
  format: 1;
  /** What it is of. */
  kind: EmbeddingKind;
  /** The model that it belongs to. */
  model: EmbeddingModel;
  /** The seed of a sample of the prior. */
  seed?: number | undefined;
  /** The values as little-endian float32, in base64. */
  data: string;
}

const maxSeed = 2 ** 32 - 1;
/** More than any CLIP model has. */
const maxWidth = 1 << 13;

/** A point in CLIP space, which images and texts share. */
export class Embedding {
  /** What it is of. */
  readonly kind: EmbeddingKind;
  /** The values, not normalised: `[E]`, where E is 768 for Karlo. */
  readonly data: Float32Array<ArrayBuffer>;
  /** The model that it belongs to. */
  readonly model: EmbeddingModel;
  /** The seed of a sample of the prior. */
  declare readonly seed?: number | undefined;

  /** @param data not copied */
  constructor(
    kind: EmbeddingKind,
    data: Float32Array<ArrayBuffer>,
    { name, sha256 }: EmbeddingModel,
    seed?: number | undefined,
  ) {
    this.kind = oneOf(kind, kinds, 'kind', 'image');
    if (!(data instanceof Float32Array) || data.length === 0 || !data.every(Number.isFinite)) {
      throw expected('non-empty Float32Array of finite numbers', 'data', data);
    }
    this.data = data;
    this.model = { name, sha256 };
    if (seed !== undefined) this.seed = integer(seed, [0, maxSeed], 'seed', 0);
  }

  /**
   * Reads what `toJSON` returned.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
   */
  static from(json: EmbeddingJson): Embedding {
    const { format, kind, model, seed, data } = object(json, 'embedding');
    if (format !== 1) throw expected('1', 'embedding.format', format, 'update karlo');
    const { name, sha256 } = modelOf(model);
    const values = typeof data === 'string' ? fromBase64(data) : undefined;
    if (values === undefined || values.length > maxWidth) {
      throw expected('float32 values in base64', 'embedding.data', data);
    }
    oneOf(kind, kinds, 'embedding.kind', undefined);
    return new Embedding(kind, values, { name, sha256 }, seed);
  }

  /** The embedding as JSON, which `Embedding.from` reads. */
  toJSON(): EmbeddingJson {
    const { kind, model, seed, data } = this;
    return { format: 1, kind, model, ...(seed !== undefined && { seed }), data: toBase64(data) };
  }
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is not the name and hash of a model */
export function modelOf(value: unknown): EmbeddingModel {
  const { name, sha256 } = object(value, 'model') as Partial<EmbeddingModel>;
  if (typeof name !== 'string' || name.length > 1000) throw expected('string', 'model.name', name);
  return { name, sha256: hashOf(sha256, 'model.sha256') };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is not a SHA-256 hash in hex */
export function hashOf(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value;
  throw expected('SHA-256 hash', name, value);
}

/**
 * The cosine of the angle between two embeddings of one model, -1 to 1. It can compare an image and a text.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for embeddings of different models
 */
export function cosine(a: Embedding, b: Embedding): number {
  for (const [name, one] of Object.entries({ a, b })) {
    if (!(one instanceof Embedding)) throw expected('Embedding', name, one);
  }
  if (a.model.sha256 !== b.model.sha256) {
    const message = `Expected embeddings of one model but received those of ${a.model.name} and ${b.model.name}, whose weights are different`;
    throw invalidArgument(message, { argument: 'b' });
  }
  return cosineOf(a.data, b.data);
}
