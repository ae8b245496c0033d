import cliProgress from 'cli-progress';
import { KarloImage } from '../../images/karlo-image.js';
import type { LoadProgress } from '../../pipeline/load-networks.js';
import type { StepEvent } from '../../pipeline/task.js';
import { formatBytes } from '../../util/format-bytes.js';
import { TerminalImage } from './image.js';
import { reportLine } from './output.js';

/** Shows the progress of a run on stderr, if that is a terminal. */
export interface Progress {
  show(event: StepEvent): void | Promise<void>;
  end(): void;
}

/** What a run generates. */
export interface RunSize {
  readonly images: number;
  /** Drafts from which each image is chosen. */
  readonly candidates: number;
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

/** Previews if they are requested and the terminal can show images, else a bar; nothing without a terminal. */
export async function openProgress(preview: boolean, size: RunSize): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const image = preview ? await TerminalImage.open() : undefined;
  if (preview && image === undefined) {
    reportLine('This terminal cannot show images (kitty, iTerm2, WezTerm and sixel can).');
  }
  return image ? new Preview(image, size) : new Bar(size);
}

/** `image 2 of 4, draft 3 of 8, decoder 6/25, 40 s left`, without what there is only one of. */
export function progressText(
  { stage, batch, secondsLeft }: StepEvent,
  { images, candidates }: RunSize,
): string {
  const drafts = stage === 'upsample' ? 1 : candidates;
  return [
    ...(images > 1 ? [numbers('image', batch.images, images)] : []),
    ...(drafts > 1 ? [numbers('draft', batch.candidates, drafts)] : []),
    `${stage} ${batch.step}/${batch.steps}`,
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ].join(', ');
}

/** `image 2 of 4`, or `images 1 to 3 of 4`. */
function numbers(name: string, indices: readonly number[], total: number): string {
  const [first, last] = [Math.min(...indices) + 1, Math.max(...indices) + 1];
  return first === last
    ? `${name} ${first} of ${total}`
    : `${name}s ${first} to ${last} of ${total}`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A bar for the whole run. */
class Bar implements Progress {
  readonly #size: RunSize;
  readonly #bar = new cliProgress.SingleBar({
    format: '[{bar}] {text}',
    stream: process.stderr,
    hideCursor: true,
    linewrap: false,
  });

  constructor(size: RunSize) {
    this.#size = size;
    this.#bar.start(1, 0, { text: '' });
  }

  show(event: StepEvent): void {
    this.#bar.update(event.fraction, { text: progressText(event, this.#size) });
  }

  end(): void {
    this.#bar.stop();
  }
}

/** The predicted images, and a line of progress below them. */
class Preview implements Progress {
  readonly #image: TerminalImage;
  readonly #size: RunSize;

  constructor(image: TerminalImage, size: RunSize) {
    this.#image = image;
    this.#size = size;
  }

  async show(event: StepEvent): Promise<void> {
    const { previews } = event;
    if (previews) await this.#image.show(KarloImage.grid(previews.map(({ image }) => image)));
    process.stderr.write(`\r\x1b[K${progressText(event, this.#size)}`);
  }

  end(): void {
    process.stderr.write('\r\x1b[K');
    this.#image.keep();
  }
}
