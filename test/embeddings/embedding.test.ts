import { describe, expect, test } from 'vitest';
import { cosine, Embedding } from '../../lib/embeddings/embedding.js';
import { Inversion } from '../../lib/embeddings/inversion.js';
import { errorMessage } from '../options/error-message.js';

const model = { name: 'karlo-tiny', sha256: 'a'.repeat(64) };
const other = { name: 'other', sha256: 'b'.repeat(64) };
const embedding = new Embedding('image', Float32Array.of(1, -0.1, 3e-8), model, 7);
const inversion = new Inversion({
  ...{ embedding, noise: Float32Array.of(1, 2, 3), prompt: 'a heart', steps: 50, refinements: 2 },
  source: { sha256: 'c'.repeat(64), fit: 'cover' },
});

describe('an embedding', () => {
  test('survives JSON', () => {
    expect(Embedding.from(JSON.parse(JSON.stringify(embedding)))).toEqual(embedding);
  });

  test.each<[object, string]>([
    [{ format: 2 }, 'Expected 1 for embedding.format but received 2: update karlo'],
    [{ kind: 'audio' }, "Expected one of image, text for embedding.kind but received 'audio'"],
    [{ data: 'AAA' }, "Expected float32 values in base64 for embedding.data but received 'AAA'"],
    [{ data: '' }, "Expected float32 values in base64 for embedding.data but received ''"],
    [
      { data: 'AACAfw==' },
      "Expected float32 values in base64 for embedding.data but received 'AACAfw=='",
    ],
    [
      { model: { name: 'x', sha256: '1' } },
      "Expected SHA-256 hash for model.sha256 but received '1'",
    ],
    [{ seed: -1 }, 'Expected integer between 0 and 4294967295 for seed but received -1'],
  ])('is not read from JSON with %o', (change, message) => {
    const json = { ...embedding.toJSON(), ...change };
    expect(errorMessage(() => Embedding.from(json as never))).toBe(message);
  });

  test('of infinite values is rejected', () => {
    expect(errorMessage(() => new Embedding('image', Float32Array.of(Number.NaN), model))).toBe(
      'Expected non-empty Float32Array of finite numbers for data but received a value of type Float32Array',
    );
  });
});

describe('cosine', () => {
  test('compares an image and a text', () => {
    const text = new Embedding('text', Float32Array.of(-1, 0.1, -3e-8), model);
    expect(cosine(embedding, text)).toBeCloseTo(-1, 12);
    expect(cosine(embedding, embedding)).toBe(1);
  });

  test('rejects embeddings of different models', () => {
    const foreign = new Embedding('image', Float32Array.of(1, 2, 3), other);
    expect(errorMessage(() => cosine(embedding, foreign))).toBe(
      'Expected embeddings of one model but received those of karlo-tiny and other, whose weights are different',
    );
  });
});

describe('an inversion', () => {
  test('survives JSON', () => {
    expect(Inversion.from(JSON.parse(JSON.stringify(inversion)))).toEqual(inversion);
  });

  test.each<[object, string]>([
    [
      { noise: 'AAAAAA==' },
      "Expected float32 values in base64 for inversion.noise but received 'AAAAAA=='",
    ],
    [{ steps: 0 }, 'Expected integer between 1 and 1000 for inversion.steps but received 0'],
    [{ prompt: 5 }, 'Expected string for inversion.prompt but received 5'],
    [
      { source: { sha256: 'x' } },
      "Expected SHA-256 hash for inversion.source.sha256 but received 'x'",
    ],
  ])('is not read from JSON with %o', (change, message) => {
    const json = { ...inversion.toJSON(), ...change };
    expect(errorMessage(() => Inversion.from(json as never))).toBe(message);
  });
});
