import { Engine, Generator, Tensor } from '../package.mjs';

const built = new URL('../../../dist/lib/', import.meta.url);
/** @type {typeof import('../../../lib/layouts/index.js')} */
const { openModel } = await import(`${built}layouts/index.js`);
/** @type {typeof import('../../../lib/networks/registry.js')} */
const { networkOf } = await import(`${built}networks/registry.js`);
/** @type {typeof import('../../../lib/networks/residency.js')} */
const { Resident } = await import(`${built}networks/residency.js`);
/** @type {typeof import('../../../lib/options/resolve-generation.js')} */
const { resolveTextToImage } = await import(`${built}options/resolve-generation.js`);
/** @type {typeof import('../../../lib/pipeline/stages/stage.js')} */
const { stageRun } = await import(`${built}pipeline/stages/stage.js`);
/** @type {typeof import('../../../lib/pipeline/samplers/noise.js')} */
const { Noise } = await import(`${built}pipeline/samplers/noise.js`);
/** @type {typeof import('../../../lib/pipeline/stages/prior.js')} */
const { PriorStage } = await import(`${built}pipeline/stages/prior.js`);
/** @type {typeof import('../../../lib/pipeline/stages/decoder.js')} */
const { DecoderStage } = await import(`${built}pipeline/stages/decoder.js`);
/** @type {typeof import('../../../lib/pipeline/stages/upsample.js')} */
const { UpsampleStage } = await import(`${built}pipeline/stages/upsample.js`);

/** @typedef {import('../../../lib/networks/registry.js').ComponentName} ComponentName */
/** @typedef {import('../../../lib/networks/residency.js').LoadNetwork} LoadNetwork */
/** @typedef {import('../../../lib/torch/index.js').Tensor} AnyTensor */
/** @typedef {import('../../../lib/torch/index.js').ScriptModule} ScriptModule */
/** @typedef {import('../../../lib/layouts/index.js').Model} Model */

/** One network alone, with inputs for one image; both guidance halves are in one batch. */
export class LoadedNetwork {
  #engine;
  #model;
  #component;
  #modules;
  #networks;
  #device;
  #inputs;
  /** Its cache of the empty prompt serves all loops, as in a loaded model. */
  #prior;

  /**
   * @param {import('./worker.mjs').Placing & { component: ComponentName }} options
   */
  static async load({ model: folder, component, threads, device, dtype }) {
    const model = await openModel(folder);
    const engine = new Engine({ threads });
    // The decoder's stage starts with the text projection.
    /** @type {ComponentName[]} */
    const names = component === 'decoder' ? ['decoder', 'text_proj'] : [component];
    /** @type {Partial<Record<ComponentName, ScriptModule>>} */
    const modules = {};
    for (const name of names) {
      const loaded = await model.load(name, { engine, device, dtype });
      modules[name] = await loaded.freeze();
      loaded.dispose();
    }
    /** @param {ComponentName} name */
    const network = async (name) => {
      // The network of the last super-resolution step is as large as the first one, which replaces it.
      const loaded = name === 'super_res_last' ? 'super_res_first' : name;
      return networkOf(name, /** @type {ScriptModule} */ (modules[loaded]));
    };
    const residency = await Resident.load(names, /** @type {LoadNetwork} */ (network));
    return new LoadedNetwork(engine, model, component, modules, residency, device);
  }

  /**
   * @param {import('../../../lib/torch/index.js').Engine} engine
   * @param {Model} model
   * @param {ComponentName} component
   * @param {Partial<Record<ComponentName, ScriptModule>>} modules
   * @param {import('../../../lib/networks/residency.js').Residency} networks
   * @param {string} device
   */
  constructor(engine, model, component, modules, networks, device) {
    this.#engine = engine;
    this.#model = model;
    this.#component = component;
    this.#modules = modules;
    this.#networks = networks;
    this.#device = device;
    this.#inputs = inputsOf(component, model.configs, device);
    this.#prior = new PriorStage(model, this.#networks);
  }

  async forward() {
    const output = await this.#module(this.#component).run('forward', this.#inputs);
    for (const tensor of /** @type {AnyTensor[]} */ ([output].flat())) {
      // A GPU has finished when a part of its result can be read.
      if (this.#device !== 'cpu') tensor.slice(0, 0, 1).to({ device: 'cpu' }).dispose();
      tensor.dispose();
    }
  }

  /**
   * The loop of its stage for a few steps, without previews.
   * @param {number} count number of steps, 2 or more
   * @returns seconds of the loop, and of its last step
   */
  async stage(count) {
    const name = /** @type {'prior' | 'decoder' | 'super_res'} */ (
      this.#component.replace('_first', '')
    );
    const config = this.#model.schedulers[`${name}_scheduler`];
    if (!config) throw new Error(`The model has no ${name}_scheduler`);
    const noise = new Noise([{ seed: 0 }], this.#device);
    /** @type {number[]} */
    const times = [performance.now()];
    const { decoder: settings } = resolveTextToImage('', { decoder: { steps: count } });
    const others = { noise, signal: undefined, onStep: () => times.push(performance.now()) };
    const output = await this.#run(name, stageRun(config, settings, others));
    output.toTypedArray();
    output.dispose();
    noise[Symbol.dispose]();
    const [start, end] = [times[0], performance.now()].map(Number);
    const [before, last] = times.slice(-2);
    return {
      seconds: (Number(end) - Number(start)) / 1000,
      step: (Number(last) - Number(before)) / 1000,
    };
  }

  /**
   * @param {'prior' | 'decoder' | 'super_res'} name
   * @param {import('../../../lib/pipeline/stages/stage.js').StageRun} run
   * @returns {Promise<AnyTensor>}
   */
  async #run(name, run) {
    const random = this.#random();
    const { prior, super_res_first: first } = this.#model.configs;
    if (name === 'super_res') {
      const side = Number(first?.sample_size) / 4;
      const stage = new UpsampleStage(this.#model, this.#networks);
      return stage.run(random(1, 3, side, side), run);
    }
    const [text, empty] = [this.#text(), this.#text()];
    if (name === 'prior') return this.#prior.run(text, [empty], empty, run);
    const stage = new DecoderStage(this.#model, this.#networks);
    const imageEmbeds = random(1, Number(prior?.embedding_dim));
    return stage.run({ imageEmbeds, text, unconditional: [empty] }, run);
  }

  #text() {
    const width = Number(this.#model.configs.prior?.embedding_dim);
    const random = this.#random();
    return {
      embeds: random(1, width),
      hidden: random(1, 77, width),
      mask: ones(this.#device, 1, 77),
    };
  }

  #random() {
    return (/** @type {number[]} */ ...shape) => randomOn(this.#device, ...shape);
  }

  /**
   * @param {ComponentName} name
   * @returns {ScriptModule}
   */
  #module(name) {
    return /** @type {ScriptModule} */ (this.#modules[name]);
  }

  async dispose() {
    await this.#prior[Symbol.asyncDispose]();
    await this.#networks.dispose();
    for (const tensor of this.#inputs) tensor.dispose();
    await this.#engine.dispose();
  }
}

/**
 * @param {string} device
 * @param {number[]} shape
 * @returns {AnyTensor}
 */
function randomOn(device, ...shape) {
  return new Generator(0).randn(shape).to({ device });
}

/**
 * @param {string} device
 * @param {number[]} shape
 * @returns {AnyTensor}
 */
function ones(device, ...shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  return Tensor.from(new BigInt64Array(count).fill(1n), shape).to({ device });
}

/**
 * Inputs of `forward`, as native/nets/ documents them.
 * @param {ComponentName} component
 * @param {Model['configs']} configs
 * @param {string} device
 * @returns {AnyTensor[]}
 */
function inputsOf(component, configs, device) {
  const random = (/** @type {number[]} */ ...shape) => randomOn(device, ...shape);
  const t = Tensor.from(new BigInt64Array([500n])).to({ device });
  const config = /** @type {Record<string, any>} */ (configs[component]);
  const { sample_size: side, embedding_dim: width, image_size: pixels } = config;
  switch (component) {
    case 'text_encoder': {
      const ids = new BigInt64Array(77).fill(320n);
      [ids[0], ids[76]] = [49406n, 49407n];
      return [Tensor.from(ids, [1, 77]).to({ device })];
    }
    case 'image_encoder':
      return [random(1, 3, pixels, pixels)];
    case 'prior':
      return [random(2, width), t, random(2, width), random(2, 77, width), ones(device, 2, 77)];
    case 'decoder': {
      const context = random(2, 81, config.cross_attention_dim);
      const labels = random(2, 4 * config.block_out_channels[0]);
      return [random(2, 3, side, side), t, context, ones(device, 2, 81), labels];
    }
    default:
      return [random(1, 6, side, side), t];
  }
}
