import type { StageOptions } from '../../options/generation.js';
import type { Generation, StageName } from '../../pipeline/task.js';

export type OutputFormat = 'png' | 'jpeg' | 'webp';

/** One request's work, as it can travel to another machine. */
export interface Job {
  /** Random and unguessable: results are found by it. */
  readonly id: string;
  readonly kind: 'text-to-image' | 'image-variation';
  readonly prompt?: string;
  /** The bytes of the picture file to vary. */
  readonly image?: Uint8Array;
  /** Under the package's names. The seed is always given: done twice, it is the same picture. */
  readonly options: {
    readonly count: number;
    readonly seed: number;
    readonly sampling: 'fast' | 'default';
    readonly prior?: StageOptions;
    readonly decoder?: StageOptions;
    readonly upsample?: StageOptions;
  };
  readonly format: OutputFormat;
  /** Quality of JPEG and WebP, 1 to 100. */
  readonly quality?: number;
  /** Previews that are wanted of each picture, 0 to 3. */
  readonly partials: number;
  /** Whether step events are wanted. */
  readonly steps: boolean;
  /** Low waits until nothing else does. */
  readonly priority: 'normal' | 'low';
}

export interface Done {
  readonly type: 'done';
  readonly warnings: readonly string[];
  readonly timings: Generation['timings'];
  /** Tokens of the prompt. */
  readonly tokens: number;
}

/** `data` are the bytes of a picture file. */
export type JobEvent =
  | { readonly type: 'queued' /** 1 is next. */; readonly position: number }
  | {
      readonly type: 'step';
      readonly stage: StageName;
      readonly step: number;
      readonly steps: number;
      /** The picture at work, where it is one alone. */
      readonly index?: number;
    }
  | {
      readonly type: 'partial';
      readonly index: number;
      readonly partial: number;
      readonly data: Buffer;
    }
  | {
      readonly type: 'picture';
      readonly index: number;
      readonly seed: number;
      readonly data: Buffer;
    }
  | Done;

/** What a loaded model is, for clients. */
export interface ModelCard {
  readonly id: string;
  /** Side of its pictures, in pixels. */
  readonly size: number;
  readonly textToImage: boolean;
  readonly imageVariation: boolean;
}

/** Who does the jobs: this process, or workers behind a queue. */
export interface Backend {
  /** The model that is served; undefined while nobody serves one. */
  model(): Promise<ModelCard | undefined>;
  /** Refuses when the queue is full, as `submit` would: before a picture is read from the network. */
  admit(): Promise<void>;
  /**
   * Takes a job in. The events end with `done`, or throw. An abort of the signal ends the work within
   * one step, and the events with the signal's reason.
   * @throws {ApiError} 429 when the queue is full, 503 when it cannot be reached
   */
  submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>>;
  /** Jobs that wait, and that are at work. */
  load(): Promise<{ waiting: number; running: number }>;
  close(): Promise<void>;
}
