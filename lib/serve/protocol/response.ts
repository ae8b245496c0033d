import type { ServedModel } from '../queue/backend.js';
import {
  animationOf,
  type CompletedEvent,
  type ImageEvent,
  imagesOf,
  type Job,
  type JobAnimation,
  type JobEvent,
} from '../queue/job.js';
import { animationName, resultName } from '../results/store.js';
import type { ImagesResponse, Usage } from './response-schemas.js';

/** What a response needs besides the job's events. */
export interface ResponseContext {
  readonly job: Job;
  readonly model: ServedModel;
  /** Warnings about the request. Those of the run are appended. */
  readonly warnings: readonly string[];
  /** The type of streamed events is this and what happened. */
  readonly eventPrefix: 'image_generation' | 'image_edit';
  /** Turns a file into what the client asked for: the file itself or a URL. */
  readonly deliver: (name: string, data: Buffer) => Promise<DeliveredFile>;
}

export type DeliveredFile = { b64_json: string } | { url: string };

/** Waits for the job to complete and returns all images in one JSON response. */
export async function toImagesResponse(
  events: AsyncIterable<JobEvent>,
  context: ResponseContext,
): Promise<ImagesResponse> {
  const data: ImagesResponse['data'] = [];
  let completed: CompletedEvent | undefined;
  let animation: AnimationFields | undefined;
  for await (const event of events) {
    if (event.type === 'image') {
      const { index } = event;
      data[index] = {
        ...(await deliverImage(context, index, event.data)),
        ...describedImage(event),
      };
    }
    if (event.type === 'animation') animation = await deliverAnimation(context, event.data);
    if (event.type === 'completed') completed = event;
  }
  const { usage, karlo } = runFields(context, completed as CompletedEvent);
  return {
    created: unixTime(),
    ...imageFields(context),
    ...{ data, usage, karlo: { ...karlo, ...(animation && { animation }) } },
  };
}

/** Fields that describe an image. */
export function describedImage({ seed, unsafe }: ImageEvent) {
  return { seed, ...(unsafe !== undefined && { unsafe }) };
}

export function deliverImage(
  { job, deliver }: ResponseContext,
  index: number,
  data: Buffer,
): Promise<DeliveredFile> {
  return deliver(resultName(job.id, index, job.format), data);
}

export type AnimationFields = NonNullable<ImagesResponse['karlo']['animation']>;

/** The animation of the job, as the client asked for it. */
export async function deliverAnimation(
  { job, deliver }: ResponseContext,
  data: Buffer,
): Promise<AnimationFields> {
  const { format } = animationOf(job.call) as JobAnimation;
  return { ...(await deliver(animationName(job.id, format), data)), output_format: format };
}

/** Fields that describe the images. */
export function imageFields({ job, model }: ResponseContext) {
  const { width, height } = job.size ?? { width: model.size, height: model.size };
  const size = `${width}x${height}`;
  return { background: 'opaque' as const, output_format: job.format, size };
}

/** Fields that describe the completed run. */
export function runFields(
  { job, model, warnings }: ResponseContext,
  { promptTokens, warnings: runWarnings, timings }: CompletedEvent,
) {
  return {
    usage: usageOf(job, promptTokens),
    karlo: { model: model.id, warnings: [...warnings, ...runWarnings], timings },
  };
}

function usageOf({ call, files }: Job, promptTokens: number): Usage {
  const details = { text_tokens: promptTokens, image_tokens: files.length };
  const input = details.text_tokens + details.image_tokens;
  return {
    input_tokens: input,
    input_tokens_details: details,
    output_tokens: imagesOf(call),
    total_tokens: input + imagesOf(call),
  };
}

/** Seconds since 1970, as OpenAI's API gives times. */
export function unixTime(): number {
  return Math.floor(Date.now() / 1000);
}
