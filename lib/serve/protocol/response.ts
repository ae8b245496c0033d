import type { ServedModel } from '../queue/backend.js';
import type { CompletedEvent, Job, JobEvent } from '../queue/job.js';
import type { ImagesResponse, Usage } from './response-schemas.js';
import { sizeOf } from './to-job.js';

/** What a response needs besides the job's events. */
export interface ResponseContext {
  readonly job: Job;
  readonly model: ServedModel;
  /** Warnings about the request. Those of the run are appended. */
  readonly warnings: readonly string[];
  /** Turns an image file into what the client asked for: the file itself or a URL. */
  readonly deliver: (
    index: number,
    data: Buffer,
  ) => Promise<{ b64_json: string } | { url: string }>;
}

/** Waits for the job to complete and returns all images in one JSON response. */
export async function toImagesResponse(
  events: AsyncIterable<JobEvent>,
  context: ResponseContext,
): Promise<ImagesResponse> {
  const data: ImagesResponse['data'] = [];
  let completed: CompletedEvent | undefined;
  for await (const event of events) {
    if (event.type === 'image') {
      const { index, seed } = event;
      data[index] = { ...(await context.deliver(index, event.data)), seed };
    }
    if (event.type === 'completed') completed = event;
  }
  return {
    created: unixTime(),
    ...imageFields(context),
    data,
    ...runFields(context, completed as CompletedEvent),
  };
}

/** Fields that describe the images. */
export function imageFields({ job, model }: ResponseContext) {
  return { background: 'opaque' as const, output_format: job.format, size: sizeOf(model) };
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

function usageOf({ task, options }: Job, promptTokens: number): Usage {
  const details = { text_tokens: promptTokens, image_tokens: task === 'imageVariation' ? 1 : 0 };
  const input = details.text_tokens + details.image_tokens;
  return {
    input_tokens: input,
    input_tokens_details: details,
    output_tokens: options.count,
    total_tokens: input + options.count,
  };
}

/** Seconds since 1970, as OpenAI's API gives times. */
export function unixTime(): number {
  return Math.floor(Date.now() / 1000);
}
