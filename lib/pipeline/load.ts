import { findModel } from '../hub/store/resolve.js';
import { openSharp } from '../images/sharp.js';
import { type Model, openModel } from '../layouts/open-model.js';
import { fasterDtype } from '../networks/auto-dtype.js';
import type { Placement } from '../networks/weights.js';
import { type LoadOptions, placed } from '../options/load.js';
import { ClipTokenizer } from '../tokenizer/index.js';
import { Engine } from '../torch/engine.js';
import { Cascade } from './cascade.js';
import { loadNetworks } from './load-networks.js';
import { type Fit, fitInto } from './plan-memory.js';

/** What a model is when it is loaded. */
export interface Loaded extends Placement, Fit {
  readonly name: string;
  readonly model: Model;
  readonly cascade: Cascade;
}

/**
 * Finds a model, reads it and makes its networks.
 * @param opening LibTorch, which another thread opens meanwhile
 */
export async function load(options: LoadOptions, opening: Promise<void>): Promise<Loaded> {
  const { threads, onProgress, signal, ...given } = options;
  const { name, folder } = await findModel(given.model);
  const model = await openModel(folder);
  // Its tables are made while other threads open LibTorch and make the networks.
  const tokenizer = ClipTokenizer.fromFolder(model.tokenizer.folder, model.tokenizer.options);
  tokenizer.catch(() => {});
  await opening;
  const { device, dtype: wanted } = placed(given);
  const engine = new Engine({ threads });
  try {
    const dtype = wanted === 'auto' ? await fasterDtype(model, engine, threads) : wanted;
    const placement = { engine, device, dtype };
    const fit = fitInto(given.memoryBudget, model, dtype, given.residency);
    const networks = loadNetworks(model, fit.residency, placement, onProgress, signal);
    openSharp(); // pictures are read and written with it: it, too, opens meanwhile
    const cascade = new Cascade(model, await networks, await tokenizer, device);
    return { name, model, cascade, ...placement, ...fit };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
