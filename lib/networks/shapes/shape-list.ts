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
