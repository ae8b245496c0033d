import type { ComponentName, Networks } from './registry.js';

/** Networks for as long as a stage runs. */
export type Lease<N extends ComponentName> = Readonly<Pick<Networks, N>> & AsyncDisposable;

/** Where the weights are between the stages. */
export interface Residency {
  /** Networks, loaded. Whoever leases disposes of the lease, not of the networks. */
  lease<N extends ComponentName>(...names: readonly N[]): Promise<Lease<N>>;
  /** Frees all. Idempotent. */
  dispose(): Promise<void>;
}

/** Loads one network. */
export type LoadNetwork = <N extends ComponentName>(name: N) => Promise<Networks[N]>;

/** The networks that are loaded. */
class Loaded {
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

  /** Frees all but these. */
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

/** All networks stay: nothing is loaded between the stages. */
export class Resident implements Residency {
  readonly #loaded: Loaded;

  private constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  /** @param names what the model holds */
  static async load(names: readonly ComponentName[], load: LoadNetwork): Promise<Resident> {
    const loaded = new Loaded(load);
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
 * One stage's networks at a time: the next lease waits until the one before has ended, and then frees
 * what it does not need itself. A lease of the same networks finds them loaded.
 */
export class Staged implements Residency {
  readonly #loaded: Loaded;
  #turn: Promise<void> = Promise.resolve();

  constructor(load: LoadNetwork) {
    this.#loaded = new Loaded(load);
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
