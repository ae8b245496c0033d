import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalidArgument, KarloError } from '../errors.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import { seedOfImage } from '../options/seeds.js';
import type { OptionLabeler } from '../options/validate.js';
import { ApiError } from '../serve/errors.js';
import type { Backend } from '../serve/queue/backend.js';
import type { Job, JobOptions } from '../serve/queue/job.js';
import { JobRunner } from '../serve/queue/job-runner.js';
import { LocalBackend } from '../serve/queue/local-backend.js';
import { defaults } from '../serve/settings.js';
import { importWith, serverPackages } from '../util/optional-packages.js';
import type { Caption } from './captions.js';
import type { ImageModel } from './manifest.js';
import type { ResolvedSetting } from './settings.js';

/** A queue of `karlo worker` processes. */
export interface EvaluationQueue {
  /** The URL of its Redis server. */
  readonly url: string;
  /** Its name, `karlo` by default. */
  readonly name?: string | undefined;
  /** Where its workers store images, by default in Redis: a shared folder, or `s3://BUCKET/PREFIX`. */
  readonly results?: string | undefined;
}

/** What is generated of a caption. */
export interface ImageOrder {
  readonly caption: Caption;
  readonly setting: ResolvedSetting;
  /** Of caption 0. */
  readonly seed: number;
}

/** Generates the images of captions: in this process, or in the workers of a queue. */
export class ImageSource implements AsyncDisposable {
  readonly #options: SourceOptions;

  /** Loads a model, whose batches the requested images share. */
  static async load(
    load: KarloOptions,
    batchSize: number,
    label: OptionLabeler,
  ): Promise<ImageSource> {
    const karlo = await Karlo.loadLabelled(load, label);
    const close = () => karlo.dispose();
    try {
      const runner = new JobRunner(karlo, batchSize);
      // While a batch runs, the next one fills.
      const concurrency = 2 * batchSize;
      const backend = new LocalBackend(runner, { concurrency, capacity: concurrency });
      const model = await karlo.provenance();
      return new ImageSource({ backend, concurrency, close, modelName: karlo.model, model });
    } catch (error) {
      await close();
      throw error;
    }
  }

  /**
   * Connects to a queue.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if Redis cannot be reached, or the queue has no workers;
   *   ERR_KARLO_PACKAGE_MISSING
   */
  static async connect(queue: EvaluationQueue): Promise<ImageSource> {
    const { url, name = 'karlo', results: location } = queue;
    const { pino } = await importWith(serverPackages, () => import('pino'));
    const { openQueue } = await import('../serve/open-queue.js');
    const { backend, close } = await openQueue({
      queue: { url, name },
      results: { location, seconds: defaults.resultSeconds },
      capacity: Number.POSITIVE_INFINITY,
      log: pino({ level: 'silent' }),
    });
    try {
      const served = await asKarloError(() => backend.model());
      if (served === undefined) throw noWorkers(name);
      return new ImageSource({ backend, concurrency: queuedJobs, close, modelName: served.id });
    } catch (error) {
      await close();
      throw error;
    }
  }

  private constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Images to request at the same time. */
  get concurrency(): number {
    return this.#options.concurrency;
  }

  get modelName(): string {
    return this.#options.modelName;
  }

  /** What generates the images, if it is known before the first one. */
  get model(): ImageModel | undefined {
    return this.#options.model;
  }

  /**
   * Generates an image.
   * @returns a PNG file with its recipe
   */
  generate(order: ImageOrder, signal: AbortSignal): Promise<Buffer> {
    return asKarloError(() => this.#generate(order, signal, submissions));
  }

  /** A queue that is full or unreachable for a while does not end an evaluation that takes days. */
  async #generate(order: ImageOrder, signal: AbortSignal, submissions: number): Promise<Buffer> {
    try {
      return await this.#run(jobOf(order), signal);
    } catch (error) {
      if (!isTemporary(error) || submissions <= 1) throw error;
      await sleep(1000 * (error.retryAfter ?? 1), undefined, { signal });
      return await this.#generate(order, signal, submissions - 1);
    }
  }

  async #run(job: Job, signal: AbortSignal): Promise<Buffer> {
    let image: Buffer | undefined;
    for await (const event of await this.#options.backend.submit(job, signal)) {
      if (event.type === 'image') image = event.data;
    }
    return image as Buffer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#options.close();
  }
}

interface SourceOptions {
  readonly backend: Backend;
  readonly concurrency: number;
  readonly close: () => Promise<void>;
  readonly modelName: string;
  readonly model?: ImageModel;
}

function noWorkers(queue: string) {
  const message = `Expected a worker for the queue ${queue} but there is none. Start one: npx karlo worker --queue URL`;
  return invalidArgument(message);
}

/** How often an image is submitted to a queue that cannot take it. */
const submissions = 10;

const temporary = ['unavailable', 'storage_full', 'queue_full'];

function isTemporary(error: unknown): error is ApiError {
  return error instanceof ApiError && temporary.includes(error.code);
}

/** Fewer than a server lets wait by default, so that servers of the queue accept requests. */
const queuedJobs = 48;

/** Low priority: requests of clients come first. */
function jobOf({ caption, setting, seed }: ImageOrder): Job {
  const options = { ...setting.options, seed: seedOfImage(seed, caption.number) } as JobOptions;
  return {
    id: randomBytes(16).toString('base64url'),
    call: { method: 'textToImage', prompt: caption.text, options },
    files: [],
    format: 'png',
    partialImages: 0,
    progress: false,
    priority: 'low',
  };
}

async function asKarloError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    const { status, message } = cause;
    const code = status === 400 ? 'ERR_KARLO_INVALID_ARGUMENT' : 'ERR_KARLO_QUEUE';
    throw new KarloError(code, message, { cause });
  }
}
