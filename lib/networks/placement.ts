import type { WeightDtype } from '../options/descriptions.js';
import type { Engine } from '../torch/engine.js';

/** The device and dtype of a network's weights, and the engine that runs it. */
export interface Placement {
  engine: Engine;
  device: string;
  dtype: WeightDtype;
}
