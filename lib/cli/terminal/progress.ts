import cliProgress from 'cli-progress';
import { KarloImage } from '../../images/karlo-image.js';
import type { LoadProgress } from '../../pipeline/load-networks.js';
import type { GenerationEvent, StageName } from '../../pipeline/task.js';
import { sizeText } from '../sizes.js';
import { TerminalPicture } from './image.js';

type StepEvent = Extract<GenerationEvent, { type: 'step' }>;

/** Shows how far a run is, on a terminal's stderr. */
export interface Progress {
  show(event: StepEvent): void | Promise<void>;
  end(): void;
}

const silent: Progress = { show() {}, end() {} };

/** Shows that a model is being loaded, on a terminal's stderr: large ones take a while. */
export function openLoading(): { update(progress: LoadProgress): void; end(): void } {
  if (!process.stderr.isTTY) return { update() {}, end() {} };
  const write = (text: string) => process.stderr.write(`\r\x1b[K${text}`);
  return {
    update: ({ bytes }) => write(`Loading the model: ${sizeText(bytes)}`),
    end: () => write(''),
  };
}

/** A picture where one was asked for and the terminal shows pictures, else bars, else nothing. */
export async function openProgress(preview: boolean): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const picture = preview ? await TerminalPicture.open() : undefined;
  if (preview && picture === undefined) {
    console.error('This terminal shows no pictures (kitty, iTerm2, WezTerm and sixel ones do).');
  }
  return picture ? new Preview(picture) : new Bars();
}

/** Seconds that each stage has left, by the pace of its own steps. */
class Pace {
  readonly #spent = new Map<StageName, number>();
  #last = performance.now();

  /** @returns seconds left in this stage, undefined before it has a pace */
  left({ stage, step, steps }: StepEvent): number {
    const now = performance.now();
    const spent = (this.#spent.get(stage) ?? 0) + (now - this.#last) / 1000;
    this.#spent.set(stage, spent);
    this.#last = now;
    return (spent / step) * (steps - step);
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A bar a stage. */
class Bars implements Progress {
  readonly #bars = new cliProgress.MultiBar({
    format: '{stage} [{bar}] {value}/{total}  {left} left',
    stream: process.stderr,
    hideCursor: true,
    linewrap: false,
  });
  readonly #of = new Map<StageName, cliProgress.SingleBar>();
  readonly #pace = new Pace();

  show(event: StepEvent): void {
    const { stage, step, steps } = event;
    const payload = { stage: stage.padEnd(8), left: duration(this.#pace.left(event)) };
    const bar = this.#of.get(stage) ?? this.#bars.create(steps, 0, payload);
    this.#of.set(stage, bar);
    bar.update(step, payload);
  }

  end(): void {
    this.#bars.stop();
  }
}

/** The predicted pictures, and a line below them. */
class Preview implements Progress {
  readonly #picture: TerminalPicture;
  readonly #pace = new Pace();

  constructor(picture: TerminalPicture) {
    this.#picture = picture;
  }

  async show(event: StepEvent): Promise<void> {
    const { stage, step, steps, previews } = event;
    const left = duration(this.#pace.left(event));
    if (previews) await this.#picture.show(KarloImage.grid(previews.map(({ image }) => image)));
    process.stderr.write(`\r\x1b[K${stage} ${step}/${steps}  ${left} left`);
  }

  end(): void {
    process.stderr.write('\r\x1b[K');
    this.#picture.keep();
  }
}
