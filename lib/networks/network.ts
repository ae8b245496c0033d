import type { ScriptModule } from '../torch/script-module.js';

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
