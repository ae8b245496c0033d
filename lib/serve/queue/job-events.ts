import { EventQueue } from '../../util/event-queue.js';
import type { JobEvent } from './job.js';

export type JobEvents = EventQueue<JobEvent>;

/**
 * Events on their way from a job to its reader. A slow reader does not delay the job: consecutive step
 * events collapse into the newest, and so do positions in the queue.
 */
export function createJobEvents(): JobEvents {
  return new EventQueue(replaces);
}

function replaces(event: JobEvent, previous: JobEvent): boolean {
  const isReplaceable = event.type === 'step' || event.type === 'queued';
  return isReplaceable && previous.type === event.type;
}
