import type { PictureEvent, StageName, Timings } from '../api/types';

type Costs = Record<StageName, number>;
const stages = ['prior', 'decoder', 'upsample'] as const;

/** Seconds a step of one picture, until a run has told better: only their ratio matters. */
const unknown: Costs = { prior: 0.01, decoder: 0.04, upsample: 0.06 };
const name = 'karlo-costs';

/** Tells how much of a run is done and how long the rest takes, from what the last run took. */
export class Clock {
  readonly #steps: Costs;
  readonly #costs: Costs = remembered() ?? unknown;
  readonly #known = remembered() !== undefined;
  readonly #done: Costs = { prior: 0, decoder: 0, upsample: 0 };
  #start = 0;

  /** @param steps of each stage, over all pictures */
  constructor(steps: Costs) {
    this.#steps = steps;
  }

  see({ stage, step, steps }: Extract<PictureEvent, { type: 'step' }>): void {
    if (this.#start === 0) this.#start = performance.now();
    this.#done[stage] = Math.max(this.#done[stage], step / steps);
  }

  /** Share of the work that is done, 0 to 1. */
  get share(): number {
    return this.#work((stage) => this.#done[stage]) / (this.#work(() => 1) || 1);
  }

  /** Seconds left; undefined for a moment at the start. */
  get left(): number | undefined {
    const expected = this.#work((stage) => this.#done[stage]);
    const elapsed = (performance.now() - this.#start) / 1000;
    if (this.#start === 0 || (!this.#known && elapsed < 1)) return undefined;
    // After a second the run itself says how fast it is.
    const pace = elapsed > 1 && expected > 0 ? elapsed / expected : 1;
    return pace * this.#work((stage) => 1 - this.#done[stage]);
  }

  #work(part: (stage: StageName) => number): number {
    const parts = stages.map((stage) => part(stage) * this.#steps[stage] * this.#costs[stage]);
    return parts.reduce((sum, value) => sum + value, 0);
  }

  /** Keeps what the run took, for the next one. */
  remember(timings: Timings): void {
    const costs = stages.map((stage) => [
      stage,
      this.#steps[stage] > 0 ? timings[stage] / this.#steps[stage] : this.#costs[stage],
    ]);
    localStorage.setItem(name, JSON.stringify(Object.fromEntries(costs)));
  }
}

function remembered(): Costs | undefined {
  try {
    const costs = JSON.parse(localStorage.getItem(name) ?? '');
    return stages.every((stage) => costs[stage] > 0) ? costs : undefined;
  } catch {
    return undefined;
  }
}

/** "about 12 s left" */
export function words(seconds: number): string {
  if (seconds < 1) return 'a moment left';
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
