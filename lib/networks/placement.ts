import type { WeightDtype } from '../options/descriptions.js';
import type { Engine } from '../torch/engine.js';

/** The device and dtype of a network's weights, and the engine that runs it. */
export interface Placement extends WeightPlacement {
  dtype: WeightDtype;
}

/** A placement that networks can also have to be checked: in float64, they run without kernels. */
export interface WeightPlacement {
  engine: Engine;
  device: string;
  dtype: WeightDtype | 'float64';
}
