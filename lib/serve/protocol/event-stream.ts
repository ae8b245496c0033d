import { setTimeout as sleep } from 'node:timers/promises';
import { toApiError } from '../errors.js';
import {
  type CompletedEvent,
  type ImageEvent,
  imagesOf,
  type JobEvent,
  type PartialImageEvent,
  type QueuedEvent,
  type StepEvent,
} from '../queue/job.js';
import { toErrorBody } from './error-response.js';
import {
  deliverAnimation,
  deliverImage,
  describedImage,
  imageFields,
  type ResponseContext,
  runFields,
  unixTime,
} from './response.js';

/**
 * A job's events as server-sent events: OpenAI's `partial_image` and `completed` events, and
 * `karlo.progress` if the request asks for it. The last image carries `usage`. An error ends the stream
 * with an `error` event.
 * @param onError called with the error, because the status has been sent by then
 */
export async function* toEventStream(
  events: AsyncIterable<JobEvent>,
  context: ResponseContext,
  onError: (error: unknown) => void,
): AsyncGenerator<string, void, void> {
  // The last image waits for the completed event, which has the usage.
  let last: ImageEvent | undefined;
  let images = 0;
  try {
    for await (const event of events) {
      if (event.type === 'image') {
        images += 1;
        if (images === imagesOf(context.job.call)) last = event;
        else yield await imageMessage(event, context);
      } else if (event.type === 'completed') {
        yield await imageMessage(last as ImageEvent, context, event);
      } else if (event.type === 'partial_image') {
        yield partialImageMessage(event, context);
      } else if (event.type === 'animation') {
        const animation = await deliverAnimation(context, event.data);
        yield message({ type: 'karlo.animation', ...animation });
      } else if (context.job.progress) {
        yield progressMessage(event);
      }
    }
  } catch (error) {
    onError(error);
    yield message({ type: 'error', ...toErrorBody(toApiError(error)) });
  }
}

async function imageMessage(
  image: ImageEvent,
  context: ResponseContext,
  completed?: CompletedEvent,
) {
  const { index, data } = image;
  return message({
    type: `${context.eventPrefix}.completed`,
    ...(await deliverImage(context, index, data)),
    ...commonFields(context, index),
    ...describedImage(image),
    ...(completed && runFields(context, completed)),
  });
}

function progressMessage(event: QueuedEvent | StepEvent): string {
  const type = 'karlo.progress';
  if (event.type === 'queued')
    return message({ type, stage: event.type, position: event.position });
  const { type: _, secondsLeft: seconds_left, ...step } = event;
  return message({ type, ...step, seconds_left });
}

function partialImageMessage(event: PartialImageEvent, context: ResponseContext): string {
  return message({
    type: `${context.eventPrefix}.partial_image`,
    b64_json: event.data.toString('base64'),
    partial_image_index: event.partialIndex,
    ...commonFields(context, event.index),
  });
}

function commonFields(context: ResponseContext, index: number) {
  return {
    created_at: unixTime(),
    quality: 'auto',
    ...imageFields(context),
    // OpenAI streams a single image. With several, each event says which image it belongs to.
    ...(imagesOf(context.job.call) > 1 && { index }),
  };
}

function message(data: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Adds a comment after every `seconds` of silence, so that proxies keep the connection open. */
export async function* withHeartbeat(
  messages: AsyncIterable<string>,
  seconds: number,
): AsyncGenerator<string, void, void> {
  const source = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = source.next();
      for (let result = await within(next, seconds); ; result = await within(next, seconds)) {
        if (result?.done) return;
        yield result ? result.value : ': waiting\n\n';
        if (result) break;
      }
    }
  } finally {
    await source.return?.();
  }
}

/** The promise's value, or undefined after `seconds`. */
async function within<T>(next: Promise<T>, seconds: number): Promise<T | undefined> {
  const timer = new AbortController();
  const silence = sleep(1000 * seconds, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([next, silence]);
  } finally {
    timer.abort();
  }
}
