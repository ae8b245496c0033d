import type { Task } from '../../networks/network.js';
import type { TextToImageOptions } from '../../options/types.generated.js';
import type { Generation, StageName } from '../../pipeline/task.js';
import type { OutputFormat } from '../results/store.js';

/** What metrics, log lines and error messages call a task. */
export const taskLabels: Readonly<Record<Task, string>> = {
  textToImage: 'text-to-image',
  imageVariation: 'image-variation',
};

/** The work of one request, in a form that can be sent to another machine. */
export interface Job {
  /** 128 random bits as base64url. The names of the resulting files contain it. */
  readonly id: string;
  readonly task: Task;
  readonly prompt?: string;
  /** The image file to vary. */
  readonly image?: Uint8Array;
  /** Options of `textToImage` and `imageVariation`. The seed is required, so that a retry gives the same images. */
  readonly options: TextToImageOptions & { readonly count: number; readonly seed: number };
  readonly format: OutputFormat;
  /** Quality of lossy formats, 1 to 100. */
  readonly quality?: number;
  /** Partial images to send of each image, 0 to 3. */
  readonly partialImages: number;
  /** Whether the client wants to follow the progress: `queued` and `step` events. */
  readonly progress: boolean;
  /** A low-priority job waits until no normal one is queued. */
  readonly priority: 'normal' | 'low';
}

export interface QueuedEvent {
  readonly type: 'queued';
  /** Position in the queue; 1 is next. */
  readonly position: number;
}

export interface StepEvent {
  readonly type: 'step';
  readonly stage: StageName;
  readonly step: number;
  readonly steps: number;
  /** The image that the step belongs to, if images are generated one at a time. */
  readonly index?: number;
}

export interface PartialImageEvent {
  readonly type: 'partial_image';
  readonly index: number;
  /** Counts the partial images of this image, from 0. */
  readonly partialIndex: number;
  /** An image file. */
  readonly data: Buffer;
}

export interface ImageEvent {
  readonly type: 'image';
  readonly index: number;
  readonly seed: number;
  /** An image file. */
  readonly data: Buffer;
}

export interface CompletedEvent {
  readonly type: 'completed';
  readonly warnings: readonly string[];
  readonly timings: Generation['timings'];
  readonly promptTokens: number;
}

export type JobEvent = QueuedEvent | StepEvent | PartialImageEvent | ImageEvent | CompletedEvent;
