import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cosineOf,
  linearMean,
  norm,
  slerp,
  sphericalMean,
  type Vector,
} from '../../lib/embeddings/sphere.js';

const vector = (...values: number[]): Vector => Float32Array.from(values);

function closeTo(actual: ArrayLike<number>, expected: readonly number[], digits = 6): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, digits);
}

/** Vectors of four values that are not close to zero. */
const vectors = fc
  .array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 4, maxLength: 4 })
  .map((values) => Float32Array.from(values))
  .filter((values) => norm(values) > 0.1);
const parts = fc.double({ min: 0, max: 1, noNaN: true });

describe('slerp', () => {
  test('follows the great circle, at constant speed', () => {
    const half = Math.SQRT1_2;
    closeTo(slerp(vector(1, 0), vector(0, 1), 0.5), [half, half]);
    closeTo(slerp(vector(1, 0), vector(0, 1), 1 / 3), [Math.cos(Math.PI / 6), 0.5]);
  });

  test('interpolates the lengths', () => {
    closeTo(slerp(vector(2, 0), vector(0, 4), 0.5), [3 * Math.SQRT1_2, 3 * Math.SQRT1_2]);
  });

  test('ends exactly at both vectors', () => {
    fc.assert(
      fc.property(vectors, vectors, (a, b) => {
        expect(slerp(a, b, 0)).toEqual(a);
        expect(slerp(a, b, 1)).toEqual(b);
      }),
    );
  });

  test('turns by the part of the angle, and interpolates the length', () => {
    fc.assert(
      fc.property(vectors, vectors, parts, (a, b, t) => {
        const between = slerp(a, b, t);
        const angle = Math.acos(cosineOf(a, b));
        expect(norm(between)).toBeCloseTo((1 - t) * norm(a) + t * norm(b), 4);
        expect(Math.acos(cosineOf(a, between))).toBeCloseTo(t * angle, 2);
      }),
    );
  });

  test('continues on the same circle outside 0 to 1', () => {
    closeTo(slerp(vector(1, 0), vector(0, 1), 2), [-1, 0]);
    closeTo(slerp(vector(1, 0), vector(0, 1), -1), [0, -1]);
  });

  test('between opposite vectors, leaves towards the axis at a right angle', () => {
    closeTo(slerp(vector(1, 0, 0), vector(-1, 0, 0), 0.5), [0, 1, 0]);
    closeTo(slerp(vector(0, 2, 0), vector(0, -2, 0), 0.5), [2, 0, 0]);
  });

  test('of a vector and itself is that vector', () => {
    closeTo(slerp(vector(3, 4), vector(3, 4), 0.3), [3, 4]);
  });
});

describe('the mean', () => {
  const [x, y, z] = [vector(1, 0, 0), vector(0, 1, 0), vector(0, 0, 1)];

  test('of two vectors on the sphere is their slerp', () => {
    expect(sphericalMean([x, y], [1, 3])).toEqual(slerp(x, y, 0.75));
  });

  test('of three axes is their diagonal', () => {
    const third = 1 / Math.sqrt(3);
    closeTo(sphericalMean([x, y, z], [1, 1, 1]), [third, third, third]);
  });

  test('has tangents that cancel each other out', () => {
    fc.assert(
      fc.property(fc.tuple(vectors, vectors, vectors), (three) => {
        // Vectors of one half of the sphere have one mean.
        const positive = three.map((one) => one.map(Math.abs));
        const weights = [1, 2, 0.5];
        const mean = sphericalMean(positive, weights);
        // The sum of squared angles is not smaller nearby.
        const cost = (at: Vector) =>
          positive.reduce(
            (sum, one, i) => sum + (weights[i] as number) * Math.acos(cosineOf(at, one)) ** 2,
            0,
          );
        const step = 1e-2 * norm(mean);
        for (let axis = 0; axis < 4; axis++) {
          for (const sign of [-step, step]) {
            const near = mean.map((value, i) => (i === axis ? value + sign : value));
            expect(cost(near)).toBeGreaterThan(cost(mean) - 1e-6);
          }
        }
      }),
    );
  });

  test('on the sphere keeps the lengths, which the plain mean shortens', () => {
    expect(norm(sphericalMean([x, y, z], [1, 1, 1]))).toBeCloseTo(1, 6);
    closeTo(linearMean([x, y], [1, 1]), [0.5, 0.5, 0]);
  });

  test('with a negative weight moves away', () => {
    const mean = sphericalMean([x, y], [2, -1]);
    expect(cosineOf(mean, y)).toBeLessThan(cosineOf(x, y));
  });

  test('of opposite vectors and another one is defined', () => {
    const mean = sphericalMean([x, vector(-1, 0, 0), y], [1, 1, 1]);
    expect(mean.every(Number.isFinite)).toBe(true);
  });
});
