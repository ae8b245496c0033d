import { elementCount } from '../weights/shape.js';

/** A network's tensors: name → shape. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Collects the names and shapes of a network's tensors. */
export class ShapeList {
  readonly shapes = new Map<string, readonly number[]>();

  add(name: string, ...shape: number[]): void {
    this.shapes.set(name, shape);
  }

  /** `weight` and `bias` of `width` each. */
  norm(name: string, width: number): void {
    this.add(`${name}.weight`, width);
    this.add(`${name}.bias`, width);
  }

  linear(name: string, from: number, to: number): void {
    this.add(`${name}.weight`, to, from);
    this.add(`${name}.bias`, to);
  }

  /** A two-dimensional convolution with a square kernel. */
  conv(name: string, from: number, to: number, kernel: number): void {
    this.add(`${name}.weight`, to, from, kernel, kernel);
    this.add(`${name}.bias`, to);
  }
}

/** Number of elements of all tensors. */
export function countWeights(shapes: Shapes): number {
  const counts = [...shapes.values()].map((shape) => elementCount(shape) ?? Infinity);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Floating-point operations of a transformer per token: two per weight of its matrices. */
export function flopPerToken(shapes: Shapes): number {
  const matrices = [...shapes].filter(
    ([name, shape]) => shape.length === 2 && !/embedding/.test(name),
  );
  return 2 * countWeights(new Map(matrices));
}
