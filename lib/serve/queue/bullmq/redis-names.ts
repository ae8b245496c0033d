/** The names of a queue's keys and channels in Redis, other than those of BullMQ. */
export function redisNames(queue: string) {
  const name = (...parts: string[]) => ['karlo', queue, ...parts].join(':');
  return {
    /** The model that the workers serve. The key expires when no worker renews it. */
    model: name('model'),
    /** An image file that a job refers to. */
    input: (id: string, index: number) => name('input', id, String(index)),
    /** Exists while a server waits for the job. */
    wanted: (id: string) => name('wanted', id),
    /** An image file of a finished job. */
    result: (file: string) => name('result', file),
    /** Channel of a job's events. */
    events: (id: string) => name('events', id),
    /** Channel of the ids of cancelled jobs. */
    cancel: name('cancel'),
  };
}

export type RedisNames = ReturnType<typeof redisNames>;
