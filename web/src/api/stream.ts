import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Failure, messageOf, unreachable } from './failure';
import type { GenerationEvent, StageName } from './types';

/** The data of a server-sent event. */
interface Message {
  type: string;
  index?: number;
  b64_json?: string;
  output_format?: string;
  seed?: number;
  stage?: StageName | 'queued';
  fraction?: number;
  seconds_left?: number;
  position?: number;
  karlo?: { warnings?: string[] };
}

/**
 * The events of a streamed response.
 * @throws {Failure} if the stream contains an error, or ends before it is complete
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<GenerationEvent, void, void> {
  let completed = false;
  for await (const message of readMessages(body)) {
    for (const event of translate(message)) {
      completed ||= event.type === 'completed';
      yield event;
    }
  }
  if (!completed) throw unreachable();
}

async function* readMessages(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Message, void, void> {
  const text = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>);
  // Some browsers cannot iterate a stream with `for await`.
  const reader = text.pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield JSON.parse(next.value.data);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function translate(message: Message): GenerationEvent[] {
  const { type, index = 0 } = message;
  if (type === 'error') throw new Failure('failed', messageOf(message) ?? 'The server failed.');
  if (type === 'karlo.progress') return [progress(message)];
  if (type === 'karlo.animation') return [{ type: 'animation', blob: blobOf(message) }];
  // OpenAI's edits have events of the same kinds under another prefix.
  if (type.endsWith('.partial_image')) return [{ type: 'preview', index, blob: blobOf(message) }];
  if (!type.endsWith('.completed')) return [];
  const { seed = 0, karlo } = message;
  const image: GenerationEvent = { type: 'image', index, seed, blob: blobOf(message) };
  if (karlo === undefined) return [image];
  return [image, { type: 'completed', warnings: karlo.warnings ?? [] }];
}

function progress(message: Message): GenerationEvent {
  const { stage, fraction = 0, seconds_left: secondsLeft, position = 1, index } = message;
  if (stage === undefined || stage === 'queued') return { type: 'queued', position };
  return {
    ...{ type: 'step', stage, fraction },
    ...(secondsLeft !== undefined && { secondsLeft }),
    ...(index !== undefined && { index }),
  };
}

function blobOf({ b64_json = '', output_format = 'png' }: Message): Blob {
  const bytes = Uint8Array.from(atob(b64_json), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: `image/${output_format}` });
}
