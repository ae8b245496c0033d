import type { AnimationFormat } from '../../images/animation.js';
import {
  finishOptions,
  methodOptions,
  type OptionTable,
  taskOptions,
  upscaleOptions,
} from '../../options/descriptions.js';
import type { Generation, StageName } from '../../pipeline/task.js';
import type { OutputFormat } from '../results/store.js';

/** The options of each method that a job can call. */
export const jobOptions = {
  ...taskOptions,
  mix: methodOptions.mix,
  interpolate: methodOptions.interpolate,
  edit: methodOptions.edit,
  imageToImage: methodOptions.imageToImage,
  inpaint: methodOptions.inpaint,
  upscale: upscaleOptions,
  finish: finishOptions,
} as const satisfies Record<string, OptionTable>;

export type JobMethod = keyof typeof jobOptions;

/** What metrics, log lines and error messages call a method. */
export const methodLabels: Readonly<Record<JobMethod, string>> = {
  textToImage: 'text-to-image',
  imageVariation: 'image-variation',
  mix: 'mix',
  interpolate: 'interpolation',
  edit: 'edit',
  imageToImage: 'image-to-image',
  inpaint: 'inpainting',
  upscale: 'upscaling',
  finish: 'finishing',
};

/** A point in CLIP space: a prompt, or the image file with this index. */
export type JobPoint = { readonly prompt: string } | { readonly image: number };

/** An animation of a job's images. */
export interface JobAnimation {
  readonly format: AnimationFormat;
  readonly framesPerSecond: number;
}

/** Options of the method. The seed is required, so that a retry gives the same images. */
export interface JobOptions {
  readonly seed: number;
  readonly count?: number;
  readonly frames?: number;
  readonly candidates?: number;
  readonly prior?: { readonly candidates?: number };
  readonly prompt?: string;
  readonly stopAfter?: 'decoder';
  readonly [name: string]: unknown;
}

/** The arguments of each method, other than options and image files. */
interface JobArguments {
  textToImage: { readonly prompt: string };
  imageVariation: object;
  mix: { readonly parts: readonly (JobPoint & { readonly weight: number })[] };
  interpolate: {
    readonly from: JobPoint;
    readonly to: JobPoint;
    readonly animation?: JobAnimation | undefined;
  };
  edit: object;
  imageToImage: { readonly prompt: string };
  /** The second image file is the mask. */
  inpaint: { readonly prompt: string };
  upscale: object;
  /** The image files are drafts, and the seeds are those of their images. */
  finish: { readonly seeds: readonly number[] };
}

/** The method to call, and its arguments. */
export type JobCall = {
  [M in JobMethod]: { readonly method: M; readonly options: JobOptions } & JobArguments[M];
}[JobMethod];

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** The work of one request, in a form that can be sent to another machine. */
export interface Job {
  /** 128 random bits as base64url. The names of the resulting files contain it. */
  readonly id: string;
  readonly call: JobCall;
  /** The image files that the call refers to. */
  readonly files: readonly Uint8Array[];
  readonly format: OutputFormat;
  /** The size to which images are resized and, if it is not square, cropped. By default, the model's own. */
  readonly size?: ImageSize | undefined;
  /** Quality of lossy formats, 1 to 100. */
  readonly quality?: number;
  /** Partial images to send of each image, 0 to 3. */
  readonly partialImages: number;
  /** Whether the client wants to follow the progress: `queued` and `step` events. */
  readonly progress: boolean;
  /** A low-priority job waits until no normal one is queued. */
  readonly priority: 'normal' | 'low';
}

/** The number of images that a call generates. */
export function imagesOf(call: JobCall): number {
  const { method, options } = call;
  if (method === 'finish') return call.seeds.length;
  if (method !== 'interpolate') return options.count ?? 1;
  return options.frames ?? methodOptions.interpolate.frames.default;
}

/** The animation that a call adds to its images, if any. */
export function animationOf(call: JobCall): JobAnimation | undefined {
  return call.method === 'interpolate' ? call.animation : undefined;
}

/** The prompt of a call, for the log and to count its tokens. */
export function promptOf(call: JobCall): string | undefined {
  return 'prompt' in call ? call.prompt : call.options.prompt;
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
  /** The part of the job's work that is done, 0 to 1. */
  readonly fraction: number;
  /** The expected seconds until the job is done. Absent while the speed is unknown. */
  readonly secondsLeft?: number | undefined;
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
  /** Whether the safety check finds it unsafe; absent without a check. */
  readonly unsafe?: boolean | undefined;
  /** An image file. */
  readonly data: Buffer;
}

export interface AnimationEvent {
  readonly type: 'animation';
  /** A file with all images. */
  readonly data: Buffer;
}

export interface CompletedEvent {
  readonly type: 'completed';
  readonly warnings: readonly string[];
  readonly timings: Generation['timings'];
  readonly promptTokens: number;
}

export type JobEvent =
  | QueuedEvent
  | StepEvent
  | PartialImageEvent
  | ImageEvent
  | AnimationEvent
  | CompletedEvent;
