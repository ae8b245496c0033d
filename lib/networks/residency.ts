import type { ComponentName, Networks } from './registry.js';

/** A stage's right to use networks, for as long as it runs. */
export type Lease<N extends ComponentName> = Readonly<Pick<Networks, N>> & AsyncDisposable;

/** Where the weights are between stages. */
export interface Residency {
  /** Loads networks if necessary. The caller disposes the lease, never the networks. */
  lease<N extends ComponentName>(...names: readonly N[]): Promise<Lease<N>>;
  /** Frees all networks. Idempotent. */
  dispose(): Promise<void>;
}

/** Loads one network. */
export type LoadNetwork = <N extends ComponentName>(name: N) => Promise<Networks[N]>;

/** The networks that are in memory. */
class LoadedNetworks {
  readonly #load: LoadNetwork;
  readonly #networks = new Map<ComponentName, Networks[ComponentName]>();

  constructor(load: LoadNetwork) {
    this.#load = load;
  }

  async add(names: readonly ComponentName[]): Promise<void> {
    for (const name of names) {
      if (!this.#networks.has(name)) this.#networks.set(name, await this.#load(name));
    }
  }

  /** Frees all networks except these. */
  keep(names: readonly ComponentName[]): void {
    for (const [name, network] of this.#networks) {
      if (names.includes(name)) continue;
      this.#networks.delete(name);
      network[Symbol.dispose]();
    }
  }

  lease<N extends ComponentName>(names: readonly N[], release: () => void): Lease<N> {
    const pairs = names.map((name) => [name, this.#networks.get(name)]);
    return { ...Object.fromEntries(pairs), [Symbol.asyncDispose]: async () => release() };
  }
}

/** Keeps all networks in memory. */
export class Resident implements Residency {
  readonly #loaded: LoadedNetworks;

  private constructor(loaded: LoadedNetworks) {
    this.#loaded = loaded;
  }

  /** @param names the networks of the model */
  static async load(names: readonly ComponentName[], load: LoadNetwork): Promise<Resident> {
    const loaded = new LoadedNetworks(load);
    try {
      await loaded.add(names);
      return new Resident(loaded);
    } catch (error) {
      loaded.keep([]);
      throw error;
    }
  }

  async lease<N extends ComponentName>(...names: readonly N[]): Promise<Lease<N>> {
    await this.#loaded.add(names);
    return this.#loaded.lease(names, () => {});
  }

  async dispose(): Promise<void> {
    this.#loaded.keep([]);
  }
}

/**
 * Keeps the networks of one stage in memory. A lease waits until the previous one has ended, and then
 * frees the networks that it does not need. Consecutive leases of the same networks load them once.
 */
export class Staged implements Residency {
  readonly #loaded: LoadedNetworks;
  #turn: Promise<void> = Promise.resolve();

  constructor(load: LoadNetwork) {
    this.#loaded = new LoadedNetworks(load);
  }

  async lease<N extends ComponentName>(...names: readonly N[]): Promise<Lease<N>> {
    const release = await this.#takeTurn();
    try {
      this.#loaded.keep(names);
      await this.#loaded.add(names);
      return this.#loaded.lease(names, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #takeTurn(): Promise<() => void> {
    const before = this.#turn;
    let release = () => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  async dispose(): Promise<void> {
    await this.#turn;
    this.#loaded.keep([]);
  }
}
