import type { Done, Job, JobEvent, ModelCard } from '../queue/job.js';
import type { ImagesAnswer, Usage } from './answer-schemas.js';
import { asApiError } from './api-error.js';
import { sizeOf } from './to-job.js';

/** What an answer is made of. */
export interface Answering {
  readonly job: Job;
  readonly model: ModelCard;
  /** Of the request itself; the run's own are added. */
  readonly warnings: readonly string[];
  /** A picture as the client wants it: its bytes, or where they are to be had. */
  readonly deliver: (
    index: number,
    data: Buffer,
  ) => Promise<{ b64_json: string } | { url: string }>;
}

/** All pictures in one answer. */
export async function collect(
  events: AsyncIterable<JobEvent>,
  { job, model, warnings, deliver }: Answering,
): Promise<ImagesAnswer> {
  const data: ImagesAnswer['data'] = [];
  let done: Done | undefined;
  for await (const event of events) {
    if (event.type === 'picture') {
      const { index, seed } = event;
      data[index] = { ...(await deliver(index, event.data)), seed };
    }
    if (event.type === 'done') done = event;
  }
  const { timings, warnings: further, tokens } = done as Done;
  return {
    created: now(),
    ...looks(job, model),
    data,
    usage: usageOf(job, tokens),
    karlo: { model: model.id, warnings: [...warnings, ...further], timings },
  };
}

/**
 * The answer as server-sent events: OpenAI's two types, and where the request asks, `karlo.progress`. The
 * last picture comes with `usage`. An error ends the stream as an event `error`.
 * @param onError is told of an error, which cannot become a status any more
 */
export async function* stream(
  events: AsyncIterable<JobEvent>,
  answering: Answering,
  onError: (error: unknown) => void,
): AsyncGenerator<string, void, void> {
  let last: Picture | undefined;
  let pictures = 0;
  try {
    for await (const event of events) {
      if (event.type === 'picture') {
        pictures += 1;
        if (pictures === answering.job.options.count) last = event;
        else yield await completed(event, answering);
      } else if (event.type === 'done') {
        yield await completed(last as Picture, answering, event);
      } else if (event.type === 'partial') {
        yield partial(event, answering);
      } else if (answering.job.steps) {
        const { type, ...rest } = event;
        yield message({
          type: 'karlo.progress',
          ...(type === 'queued' && { stage: type }),
          ...rest,
        });
      }
    }
  } catch (error) {
    onError(error);
    yield message({ type: 'error', ...asApiError(error).toBody() });
  }
}

type Picture = Extract<JobEvent, { type: 'picture' }>;

async function completed({ index, seed, data }: Picture, answering: Answering, done?: Done) {
  const { job, model, warnings } = answering;
  return message({
    type: 'image_generation.completed',
    ...(await answering.deliver(index, data)),
    ...common(answering),
    ...numbered(job, index),
    seed,
    ...(done && {
      usage: usageOf(job, done.tokens),
      karlo: {
        model: model.id,
        warnings: [...warnings, ...done.warnings],
        timings: done.timings,
      },
    }),
  });
}

function partial(event: Extract<JobEvent, { type: 'partial' }>, answering: Answering): string {
  return message({
    type: 'image_generation.partial_image',
    b64_json: event.data.toString('base64'),
    partial_image_index: event.partial,
    ...common(answering),
    ...numbered(answering.job, event.index),
  });
}

function common({ job, model }: Answering) {
  return { created_at: now(), quality: 'auto', ...looks(job, model) };
}

/** OpenAI's streams are of one picture; with several, each event says which it is of. */
function numbered(job: Job, index: number) {
  return job.options.count > 1 ? { index } : {};
}

function looks({ format }: Job, model: ModelCard) {
  return { background: 'opaque' as const, output_format: format, size: sizeOf(model) };
}

function usageOf({ kind, options }: Job, tokens: number): Usage {
  const details = { text_tokens: tokens, image_tokens: kind === 'image-variation' ? 1 : 0 };
  const input = details.text_tokens + details.image_tokens;
  return {
    input_tokens: input,
    input_tokens_details: details,
    output_tokens: options.count,
    total_tokens: input + options.count,
  };
}

function message(data: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
