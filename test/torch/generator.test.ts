import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Generator, type Tensor, version } from '../../lib/torch/index.js';

interface Golden {
  cases: { seed: number; shapes: number[][]; bits: string }[];
}

const { cases } = JSON.parse(
  readFileSync(new URL('../fixtures/randn.json', import.meta.url), 'utf8'),
) as Golden;

function bitsOf(tensors: Tensor<'float32'>[]): string {
  const words = tensors.flatMap((t) => [...new Uint32Array(t.toTypedArray().buffer)]);
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

describe('Generator', () => {
  // From 16 elements on, LibTorch uses AVX2 if it can. Older CPUs draw other bits.
  const vectorised = version().cpuCapability !== 'DEFAULT';

  test.each(cases)(
    'draws the bits of torch.randn: seed $seed, $shapes',
    ({ seed, shapes, bits }) => {
      const small = shapes.every((shape) => shape.reduce((a, b) => a * b, 1) < 16);
      const generator = new Generator(seed);
      const drawn = bitsOf(shapes.map((shape) => generator.randn(shape)));
      if (small || vectorised) expect(drawn).toBe(bits);
      else expect(drawn).toHaveLength(bits.length);
    },
  );

  test('continues from a saved state, even between the two draws of a pair', () => {
    const generator = new Generator(7);
    generator.randn([3]);
    const state = generator.saveState();
    const first = bitsOf([generator.randn([5]), generator.randn([20])]);
    generator.restoreState(state);
    expect(bitsOf([generator.randn([5]), generator.randn([20])])).toBe(first);
    const other = new Generator(0);
    other.restoreState(state);
    expect(bitsOf([other.randn([5]), other.randn([20])])).toBe(first);
  });

  test('rejects an invalid state, and continues as before', () => {
    const generator = new Generator(7);
    const state = generator.saveState();
    expect(() => generator.restoreState(null as never)).toThrow(
      'Expected Uint8Array for state but received null',
    );
    const wrong = [new Uint8Array(0), new Uint8Array(3), state.map(() => 255), state.slice(1)];
    for (const bytes of wrong) {
      expect(() => generator.restoreState(bytes)).toThrow(
        /Expected state of a Generator for state/,
      );
    }
    expect(bitsOf([generator.randn([4])])).toBe(bitsOf([new Generator(7).randn([4])]));
  });

  test.each([-1, 2 ** 32, 0.5, Number.NaN, '1', 1n])('rejects the seed %s', (seed) => {
    expect(() => new Generator(seed as number)).toThrow(
      /^Expected integer between 0 and 4294967295 for seed but received /,
    );
  });

  test('rejects invalid shapes', () => {
    const generator = new Generator(0);
    for (const shape of [[-1], [0.5], ['1'], 3, undefined, new Array(17).fill(1)]) {
      expect(() => generator.randn(shape as never)).toThrow(
        expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }),
      );
    }
    expect(() => generator.randn([2 ** 45])).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_OUT_OF_MEMORY' }),
    );
  });

  test('throws after dispose', () => {
    const generator = new Generator(0);
    generator.dispose();
    generator.dispose();
    expect(() => generator.randn([1])).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_DISPOSED' }),
    );
  });
});
