import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { noise } from '../fixtures/formula.js';

/** Two sets of features, as test/reference/evaluation.py describes them: count, scale and shift of each. */
interface Case {
  dimensions: number;
  a: Spread;
  b: Spread;
}

type Spread = [count: number, scale: number, shift: number];

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/eval/${name}`, import.meta.url));
}

export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8'));
}

/** The cases of a golden with their features and their result. */
export function featureCases<T>(golden: string) {
  const { cases, distances } = readGolden<{
    cases: Record<string, Case>;
    distances: Record<string, T>;
  }>(golden);
  return Object.entries(cases).map(([name, { dimensions, a, b }]) => ({
    name,
    a: featuresOf(`${name}/a`, dimensions, a),
    b: featuresOf(`${name}/b`, dimensions, b),
    expected: distances[name] as T,
  }));
}

/** The features of the formula. */
export function featuresOf(
  name: string,
  dimensions: number,
  [count, scale, shift]: Spread,
): Float32Array[] {
  const values = noise(`features/${name}`, count * dimensions).map((v) => scale * v + shift);
  return Array.from({ length: count }, (_, i) =>
    values.subarray(i * dimensions, (i + 1) * dimensions),
  );
}
