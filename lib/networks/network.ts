import type { z } from 'zod';
import type { Task } from '../options/descriptions.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { Shapes } from './shape-list.js';

export type { Task };

/** A loaded network: typed methods over a TorchScript module. */
export abstract class Network implements Disposable {
  protected readonly module: ScriptModule;

  /** @param module is disposed with the network */
  constructor(module: ScriptModule) {
    this.module = module;
  }

  /** The device of its weights. Inputs must be on the same device. */
  get device(): string {
    return this.module.device;
  }

  [Symbol.dispose](): void {
    this.module.dispose();
  }
}

/** The compute and memory that a network needs for one sample. */
export interface Cost {
  /** Floating-point operations of a forward pass or, if a loop runs the network, of one step. */
  readonly flop: number;
  /** Floating-point operations before the first step. */
  readonly prefillFlop?: number;
  /** Peak number of activation elements. */
  readonly activations: number;
}

/** Everything about a network that does not depend on a model's files. */
export interface NetworkDefinition<Config = never, N extends Network = Network> {
  /** Its name in native/nets. Networks of the same kind differ only in config and weights. */
  readonly kind: string;
  /** The Hugging Face library that saves it, which determines the names of its weight files. */
  readonly library: 'diffusers' | 'transformers';
  /** Keys in its weight files that are not tensors of the network. */
  readonly ignoredKeys?: RegExp;
  /** The tasks that use it. */
  readonly tasks: readonly Task[];
  /** Whether its tasks can run without it. Folders without an optional network are complete. */
  readonly optional?: true;
  /** The schema of its `config.json`, with the library's defaults for missing keys. */
  readonly config: z.ZodType<Config>;
  /** Its tensors under their Hugging Face names. */
  shapes(config: Config): Shapes;
  cost(config: Config): Cost;
  /** The native methods that its class calls. Only these are traced. */
  readonly methods: readonly string[];
  /** The method that a loop calls in each step. It returns a tensor. */
  readonly step?: string;
  readonly Network: new (module: ScriptModule) => N;
}
