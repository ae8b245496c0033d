import { Cascade } from './cascade.js';
import { openSharp } from './image/sharp.js';
import { type LoadOptions, placed } from './load-options.js';
import { type Fit, fitInto } from './memory-budget.js';
import { fasterDtype } from './models/auto-dtype.js';
import { type Model, openModel } from './models/load-model.js';
import { loadNetworks } from './models/load-networks.js';
import { findModel } from './models/store/resolve.js';
import type { Placement } from './models/weights.js';
import { ClipTokenizer } from './text/index.js';
import { Engine } from './torch/engine.js';

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
  const tokenizer = tokenizerOf(model);
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

function tokenizerOf({ layout, tokenizer }: Model): Promise<ClipTokenizer> {
  const kakao = { pad: 'zero', clean: 'kakao' } as const;
  return ClipTokenizer.fromFolder(tokenizer, layout === 'kakao' ? kakao : {});
}
