import type { ComponentConfigs } from './config.js';
import type { ComponentName } from './registry.js';
import { expectedShapes, type Shapes } from './shapes/index.js';

/** What one forward of one picture takes. */
export interface Cost {
  /** Floating-point operations: two for each weight and place that it is applied to. */
  readonly flop: number;
  /** Numbers held at once, at most, besides the weights. */
  readonly activations: number;
}

/** Tensors as wide as a UNet's first level that are held at once besides those kept for its way up. */
const working = 5;

type UNet = 'decoder' | 'super_res_first' | 'super_res_last';

/** Of a UNet: its convolutions and attentions, each at its level's resolution. */
export function unetCost<N extends UNet>(component: N, config: ComponentConfigs[N]): Cost {
  const { block_out_channels: widths, layers_per_block: layers, sample_size: side = 64 } = config;
  const pixels = (level: number) => ((side as number) / 2 ** level) ** 2;
  const kept = widths.map((width, level) => width * pixels(level) * (layers + 1));
  const first = (widths[0] as number) * pixels(0);
  return {
    flop: sum(expectedShapes(component, config), (name, shape) => {
      const level = levelOf(name, widths.length);
      return level === undefined ? 0 : 2 * elements(shape) * pixels(level);
    }),
    activations: kept.reduce((all, one) => all + one, 0) + working * first,
  };
}

/** The level at which a weight is applied; undefined for those that see no pixels. */
function levelOf(name: string, depth: number): number | undefined {
  if (!name.endsWith('.weight') || /norm|time_emb|add_[kv]_proj/.test(name)) return undefined;
  const [, way, block] = /^(down|up)_blocks\.(\d+)\./.exec(name) ?? [];
  if (way === undefined) return name.startsWith('mid_block') ? depth - 1 : 0;
  if (way === 'down') return Number(block) + (name.includes('downsamplers') ? 1 : 0);
  return depth - 1 - Number(block) - (name.includes('upsamplers') ? 1 : 0);
}

/** Of a transformer: for each token. */
export function flopPerToken<N extends ComponentName>(component: N, config: ComponentConfigs[N]) {
  const matrices = (name: string, shape: readonly number[]) =>
    shape.length === 2 && !/embedding/.test(name) ? 2 * elements(shape) : 0;
  return sum(expectedShapes(component, config), matrices);
}

/** Numbers that a component's weights are. */
export function weightCount<N extends ComponentName>(component: N, config: ComponentConfigs[N]) {
  return sum(expectedShapes(component, config), (_name, shape) => elements(shape));
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function sum(shapes: Shapes, of: (name: string, shape: readonly number[]) => number): number {
  let total = 0;
  for (const [name, shape] of shapes) total += of(name, shape);
  return total;
}
