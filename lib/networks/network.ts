import type { z } from 'zod';
import type { ScriptModule } from '../torch/script-module.js';
import type { Shapes } from './shape-list.js';

/** What the package can be asked to do with a model. */
export type Task = 'textToImage' | 'imageVariation';

/** A loaded network: typed methods over the TorchScript module that computes it. */
export abstract class Network implements Disposable {
  protected readonly module: ScriptModule;

  /** @param module is disposed with the network */
  constructor(module: ScriptModule) {
    this.module = module;
  }

  /** Where its weights are, and its inputs have to be. */
  get device(): string {
    return this.module.device;
  }

  [Symbol.dispose](): void {
    this.module.dispose();
  }
}

/** What a network takes for one sample. */
export interface Cost {
  /** Floating-point operations of a forward pass or, where a loop runs the network, of one step. */
  readonly flop: number;
  /** Floating-point operations before the first step. */
  readonly prefillFlop?: number;
  /** Numbers held at once, at most, besides the weights. */
  readonly activations: number;
}

/** All that the package knows of a network before a model is loaded. */
export interface NetworkDefinition<Config = never, N extends Network = Network> {
  /** What native/nets calls it; networks of the same kind differ in their weights alone. */
  readonly kind: string;
  /** The Hugging Face library that it comes from, which decides the names of its weight files. */
  readonly library: 'diffusers' | 'transformers';
  /** Keys that its weight files may hold in addition to its tensors. */
  readonly ignoredKeys?: RegExp;
  /** The tasks that run it. */
  readonly tasks: readonly Task[];
  /** Its `config.json`, absent keys filled in with the library's defaults. */
  readonly config: z.ZodType<Config>;
  /** The tensors that it needs, under their Hugging Face names. */
  shapes(config: Config): Shapes;
  cost(config: Config): Cost;
  /** The methods of native/nets that its class calls; no others are traced. */
  readonly methods: readonly string[];
  readonly Network: new (module: ScriptModule) => N;
}
