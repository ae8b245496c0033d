import { setTimeout as wait } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { invalidArgument } from '../../errors.js';
import { type Fetch, proxyFetch } from '../../util/proxy-fetch.js';
import { contentTypeOf, type ResultStore } from './store.js';

export interface S3Options {
  /** `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
  location: string;
  /** Seconds after which an image counts as expired. A lifecycle rule of the bucket has to delete it. */
  seconds: number;
  /** Credentials, region and endpoint, under the names that all AWS tools read. */
  environment: NodeJS.ProcessEnv;
}

/** How often a request is repeated if the store is busy, and milliseconds before the first time. */
const retries = { count: 3, pause: 50 };

/** Images in an S3-compatible store. */
export class S3Results implements ResultStore {
  readonly #client: AwsClient;
  readonly #fetch: Fetch;
  readonly #baseUrl: string;
  readonly #seconds: number;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if credentials are missing */
  constructor({ location, seconds, environment }: S3Options) {
    const { AWS_REGION: region = 'us-east-1' } = environment;
    this.#client = new AwsClient({ ...readCredentials(environment), region, service: 's3' });
    this.#fetch = proxyFetch(environment);
    const { hostname: bucket, pathname } = new URL(location);
    const prefix = pathname.replace(/^\/|\/$/g, '');
    const endpoint =
      environment.AWS_ENDPOINT_URL_S3 ??
      environment.AWS_ENDPOINT_URL ??
      `https://s3.${region}.amazonaws.com`;
    this.#baseUrl = [endpoint.replace(/\/$/, ''), bucket, prefix].filter(Boolean).join('/');
    this.#seconds = seconds;
  }

  async put(name: string, data: Buffer): Promise<void> {
    const headers = {
      'content-type': contentTypeOf(name),
      // A store that does not support this header overwrites the image with the same bytes.
      'if-none-match': '*',
    };
    const body = new Uint8Array(data);
    const response = await this.#send(name, { method: 'PUT', headers, body });
    await response.arrayBuffer();
    if (!response.ok && response.status !== 412) throw failed('PUT', response);
  }

  async get(name: string): Promise<Buffer | undefined> {
    const response = await this.#send(name);
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 404 || this.#isExpired(response)) return undefined;
    if (!response.ok) throw failed('GET', response);
    return body;
  }

  /** Signs and sends a request; repeats it as aws4fetch does, which cannot send through a proxy. */
  async #send(name: string, init: RequestInit = {}): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const { url, method, headers } = await this.#client.sign(`${this.#baseUrl}/${name}`, init);
      const signed = { ...init, method, headers: Object.fromEntries(headers) };
      const response = await this.#fetch(url, signed);
      const isBusy = response.status >= 500 || response.status === 429;
      if (!isBusy || attempt === retries.count) return response;
      await response.body?.cancel();
      await wait(Math.random() * retries.pause * 2 ** attempt);
    }
  }

  #isExpired({ headers }: Response): boolean {
    const stored = Date.parse(headers.get('last-modified') ?? '');
    return Date.now() - stored > 1000 * this.#seconds;
  }

  async close(): Promise<void> {}
}

function readCredentials(environment: NodeJS.ProcessEnv) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    const message =
      'Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment for --results s3://…';
    throw invalidArgument(message);
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

function failed(method: string, { status }: Response): Error {
  return new Error(`The image store answered ${method} with status ${status}`);
}
