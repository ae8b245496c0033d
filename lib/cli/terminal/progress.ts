import cliProgress from 'cli-progress';
import { KarloImage } from '../../images/karlo-image.js';
import type { LoadProgress } from '../../pipeline/load-networks.js';
import type { GenerationEvent, StageName } from '../../pipeline/task.js';
import { formatBytes } from './format.js';
import { TerminalImage } from './image.js';

type StepEvent = Extract<GenerationEvent, { type: 'step' }>;

/** Shows the progress of a run on stderr, if that is a terminal. */
export interface Progress {
  show(event: StepEvent): void | Promise<void>;
  end(): void;
}

const silent: Progress = { show() {}, end() {} };

/** Shows that a model is being loaded on stderr, if that is a terminal: large ones take a while. */
export function openLoading(): { update(progress: LoadProgress): void; end(): void } {
  if (!process.stderr.isTTY) return { update() {}, end() {} };
  const write = (text: string) => process.stderr.write(`\r\x1b[K${text}`);
  return {
    update: ({ bytes }) => write(`Loading the model: ${formatBytes(bytes)}`),
    end: () => write(''),
  };
}

/** Previews if they are requested and the terminal can show images, else bars; nothing without a terminal. */
export async function openProgress(preview: boolean): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const image = preview ? await TerminalImage.open() : undefined;
  if (preview && image === undefined) {
    console.error('This terminal cannot show images (kitty, iTerm2, WezTerm and sixel can).');
  }
  return image ? new Preview(image) : new Bars();
}

/** The remaining seconds of each stage, estimated from the steps it has taken. */
class Pace {
  readonly #spent = new Map<StageName, number>();
  #last = performance.now();

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

/** A bar for each stage. */
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
    if (step === steps) this.#finishEarlierStages(bar);
  }

  /** Their last steps may not have been reported: of pending step events, the newest replaces the others. */
  #finishEarlierStages(current: cliProgress.SingleBar): void {
    for (const bar of this.#of.values()) {
      if (bar === current) return;
      bar.update(bar.getTotal(), { left: duration(0) });
    }
  }

  end(): void {
    this.#bars.stop();
  }
}

/** The predicted images, and a line of progress below them. */
class Preview implements Progress {
  readonly #image: TerminalImage;
  readonly #pace = new Pace();

  constructor(image: TerminalImage) {
    this.#image = image;
  }

  async show(event: StepEvent): Promise<void> {
    const { stage, step, steps, previews } = event;
    const left = duration(this.#pace.left(event));
    if (previews) await this.#image.show(KarloImage.grid(previews.map(({ image }) => image)));
    process.stderr.write(`\r\x1b[K${stage} ${step}/${steps}  ${left} left`);
  }

  end(): void {
    process.stderr.write('\r\x1b[K');
    this.#image.keep();
  }
}
