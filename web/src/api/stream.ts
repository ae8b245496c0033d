import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Failure, messageOf, unreachable } from './failure';
import type { PictureEvent, StageName, Timings } from './types';

interface Message {
  type: string;
  index?: number;
  b64_json?: string;
  output_format?: string;
  seed?: number;
  stage?: StageName | 'queued';
  step?: number;
  steps?: number;
  position?: number;
  karlo?: { warnings?: string[]; timings?: Timings };
}

/**
 * The events of a streamed answer.
 * @throws {Failure} where the stream says so, or ends before its last picture
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<PictureEvent, void, void> {
  let done = false;
  for await (const message of messagesOf(body)) {
    for (const event of translate(message)) {
      done ||= event.type === 'done';
      yield event;
    }
  }
  if (!done) throw unreachable();
}

async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Message, void, void> {
  const text = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>);
  // Not every browser iterates a stream.
  const reader = text.pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield JSON.parse(next.value.data);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function translate(message: Message): PictureEvent[] {
  const { type, index = 0 } = message;
  if (type === 'error') throw new Failure('failed', messageOf(message) ?? 'It failed.');
  if (type === 'karlo.progress') return [progress(message)];
  // Variations may carry the event names of edits.
  if (type.endsWith('.partial_image')) return [{ type: 'preview', index, blob: blobOf(message) }];
  if (!type.endsWith('.completed')) return [];
  const { seed = 0, karlo } = message;
  const picture: PictureEvent = { type: 'picture', index, seed, blob: blobOf(message) };
  if (karlo === undefined) return [picture];
  const { warnings = [], timings } = karlo;
  return [picture, { type: 'done', warnings, ...(timings && { timings }) }];
}

function progress({ stage, step = 0, steps = 1, position = 1, index }: Message): PictureEvent {
  if (stage === undefined || stage === 'queued') return { type: 'queued', position };
  return { type: 'step', stage, step, steps, ...(index !== undefined && { index }) };
}

function blobOf({ b64_json = '', output_format = 'png' }: Message): Blob {
  const bytes = Uint8Array.from(atob(b64_json), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: `image/${output_format}` });
}
