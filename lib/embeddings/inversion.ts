import { expected } from '../errors.js';
import { integer, object } from '../options/validate.js';
import { Embedding, type EmbeddingJson, hashOf } from './embedding.js';
import { fromBase64, toBase64 } from './float32-base64.js';

/** The image that was inverted: the hash of its decoded pixels, and how it became square. */
export interface InvertedSource {
  /** In hex. */
  readonly sha256: string;
  /** How it became square. */
  readonly fit: 'cover' | 'fill';
}

/** What an inversion consists of. */
export interface InversionData {
  /** The CLIP embedding of the image. */
  readonly embedding: Embedding;
  /** `[3, side, side]`, where side is that of the decoder's images, 64 for Karlo. */
  readonly noise: Float32Array<ArrayBuffer>;
  /** The text that the decoder read. */
  readonly prompt: string;
  /** Number of steps of DDIM. */
  readonly steps: number;
  /** Fixed-point iterations in each step. */
  readonly refinements: number;
  /** The inverted image. */
  readonly source: InvertedSource;
}

/** An inversion as JSON. */
export interface InversionJson extends Omit<InversionData, 'embedding' | 'noise'> {
  /** Version of the format. */
  readonly format: 1;
  /** The CLIP embedding of the image. */
  readonly embedding: EmbeddingJson;
  /** Little-endian float32, in base64. */
  readonly noise: string;
}

/** 512 x 512 pixels. */
const maxNoise = 3 * 512 ** 2;
const maxPrompt = 1 << 16;

/**
 * An image as the decoder's input: its CLIP embedding, and the noise from which DDIM without guidance leads
 * back to it (Ramesh et al. 2022, section 3).
 */
export class Inversion implements InversionData {
  /** The CLIP embedding of the image. */
  readonly embedding: Embedding;
  /** `[3, side, side]`, where side is that of the decoder's images, 64 for Karlo. */
  readonly noise: Float32Array<ArrayBuffer>;
  /** The text that the decoder read. */
  readonly prompt: string;
  /** Number of steps of DDIM. */
  readonly steps: number;
  /** Fixed-point iterations in each step. */
  readonly refinements: number;
  /** The inverted image. */
  readonly source: InvertedSource;

  /** @param data not copied */
  constructor({ embedding, noise, prompt, steps, refinements, source }: InversionData) {
    this.embedding = embedding;
    this.noise = noise;
    this.prompt = prompt;
    this.steps = steps;
    this.refinements = refinements;
    this.source = source;
  }

  /**
   * Reads what `toJSON` returned.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
   */
  static from(json: InversionJson): Inversion {
    const { format, embedding, noise, prompt, steps, refinements, source } = object(
      json,
      'inversion',
    );
    if (format !== 1) throw expected('1', 'inversion.format', format, 'update karlo');
    const values = typeof noise === 'string' ? fromBase64(noise) : undefined;
    if (values === undefined || values.length > maxNoise || values.length % 3 !== 0) {
      throw expected('float32 values in base64', 'inversion.noise', noise);
    }
    if (typeof prompt !== 'string' || prompt.length > maxPrompt) {
      throw expected('string', 'inversion.prompt', prompt);
    }
    return new Inversion({
      ...{ embedding: Embedding.from(embedding), noise: values, prompt },
      steps: integer(steps, [1, 1000], 'inversion.steps', 0),
      refinements: integer(refinements, [0, 10], 'inversion.refinements', 0),
      source: sourceOf(source),
    });
  }

  /** The inversion as JSON, which `Inversion.from` reads. */
  toJSON(): InversionJson {
    const { embedding, noise, prompt, steps, refinements, source } = this;
    const values = { embedding: embedding.toJSON(), noise: toBase64(noise) };
    return { format: 1, ...values, prompt, steps, refinements, source };
  }
}

function sourceOf(value: unknown): InvertedSource {
  const { fit, ...source } = object(value, 'inversion.source') as Partial<InvertedSource>;
  const sha256 = hashOf(source.sha256, 'inversion.source.sha256');
  if (fit !== 'cover' && fit !== 'fill') {
    throw expected('one of cover, fill', 'inversion.source.fit', fit);
  }
  return { sha256, fit };
}
