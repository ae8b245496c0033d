import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type {
  CallToolResult,
  ServerNotification,
  ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { InputLimits } from '../../images/input-limits.js';
import { checkFiles } from '../protocol/input-image.js';
import type { SharedRequest } from '../protocol/request-schemas.js';
import { checkModel, warningsOf } from '../protocol/to-job.js';
import type { Backend, ServedModel } from '../queue/backend.js';
import {
  type AnimationEvent,
  animationOf,
  type CompletedEvent,
  type ImageEvent,
  type Job,
  type JobAnimation,
  type JobEvent,
} from '../queue/job.js';
import { contentTypes, type ResultStore, resultName } from '../results/store.js';
import { toImageContent } from './image-content.js';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** A call of a tool, and what runs it. */
export interface ToolCall {
  readonly backend: Pick<Backend, 'model' | 'submit'>;
  /** Keeps the images, so that later calls can name them. */
  readonly results: ResultStore;
  readonly imageLimits: InputLimits;
  /** Aborts when the client has cancelled the call. */
  readonly signal: AbortSignal;
  readonly extra: Pick<Extra, '_meta' | 'sendNotification'>;
}

/** Runs the job of a request, and returns its images. */
export async function runJob(
  job: Job,
  request: SharedRequest,
  call: ToolCall,
): Promise<CallToolResult> {
  const { backend, imageLimits, signal } = call;
  const model = checkModel(await backend.model(), job.call);
  await checkFiles(job, imageLimits, signal);
  const report = progressReporter(call);
  const images: ImageEvent[] = [];
  let animation: AnimationEvent | undefined;
  let completed: CompletedEvent | undefined;
  for await (const event of await backend.submit(job, signal)) {
    if (event.type === 'image') images[event.index] = event;
    if (event.type === 'animation') animation = event;
    if (event.type === 'completed') completed = event;
    await report(event);
  }
  const { warnings } = completed as CompletedEvent;
  const allWarnings = [...warningsOf(request, job.call), ...warnings];
  const content = await toImageContent(
    images.map(({ data }) => data),
    animation && { data: animation.data, mimeType: animationType(job) },
  );
  const names = await store(images, job, call.results);
  const lines = [summaryOf(images, model), nameLine(names), ...allWarnings.map(warningLine)];
  return { content: [...content, { type: 'text', text: lines.join('\n') }] };
}

/** Stores the images, and returns their names. */
async function store(
  images: readonly ImageEvent[],
  { id, format }: Job,
  results: ResultStore,
): Promise<string[]> {
  const names = images.map(({ index }) => resultName(id, index, format));
  await Promise.all(images.map(({ data }, i) => results.put(names[i] as string, data)));
  return names;
}

function animationType({ call }: Job): string {
  return contentTypes[(animationOf(call) as JobAnimation).format];
}

/** Describes the images. The seeds repeat them. */
function summaryOf(images: readonly ImageEvent[], { id, size }: ServedModel): string {
  const count = images.length === 1 ? '1 image' : `${images.length} images`;
  const seeds = [...new Set(images.map(({ seed }) => seed))];
  const label = seeds.length === 1 ? 'seed' : 'seeds';
  return `${count} of ${id}, ${size}x${size}, ${label} ${seeds.join(', ')}`;
}

function nameLine(names: readonly string[]): string {
  return `Names for further calls: ${names.join(', ')}`;
}

function warningLine(warning: string): string {
  return `Warning: ${warning}`;
}

/** Sends progress notifications, if the client asks for them. Each has to exceed the previous one. */
function progressReporter({ extra }: ToolCall): (event: JobEvent) => Promise<void> {
  const progressToken = extra._meta?.progressToken;
  let last = -1;
  return async (event) => {
    const fraction = fractionOf(event);
    if (progressToken === undefined || fraction <= last) return;
    last = fraction;
    const params = { progressToken, progress: fraction, total: 1, message: messageOf(event) };
    await extra.sendNotification({ method: 'notifications/progress', params });
  };
}

/** The part of the work that is done; -1 for an event that does not say. */
function fractionOf(event: JobEvent): number {
  if (event.type === 'step') return event.fraction;
  return event.type === 'queued' ? 0 : -1;
}

function messageOf(event: JobEvent): string {
  if (event.type === 'step') return `${event.stage}: step ${event.step} of ${event.steps}`;
  return 'waiting in the queue';
}
