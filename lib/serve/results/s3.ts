import { setTimeout as wait } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { invalidArgument } from '../../errors.js';
import { checkEndpoint } from '../../util/endpoint.js';
import { type Fetch, proxyFetch } from '../../util/proxy-fetch.js';
import { readBody } from '../../util/transfer.js';
import { contentTypeOf, ResultStore } from './store.js';

export interface S3Options {
  /** `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
  location: string;
  /** Seconds after which an image counts as expired. A lifecycle rule of the bucket has to delete it. */
  seconds: number;
  /** Credentials, region and endpoint, under the names that all AWS tools read. */
  environment: NodeJS.ProcessEnv;
  /** Milliseconds that a request may take, with its body. Default 60 000. */
  timeout?: number;
}

/** How often a request is repeated if the store is busy, and milliseconds before the first time. */
const retries = { count: 3, pause: 50 };

/** More than an image of any model, uncompressed. */
const maxBytes = 2 ** 26;

/** Images in an S3-compatible store. */
export class S3Results extends ResultStore {
  readonly #client: AwsClient;
  readonly #fetch: Fetch;
  readonly #baseUrl: string;
  readonly #seconds: number;
  readonly #timeout: number;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if credentials are missing */
  constructor({ location, seconds, environment, timeout = 60_000 }: S3Options) {
    super();
    const { AWS_REGION: region = 'us-east-1' } = environment;
    this.#client = new AwsClient({ ...readCredentials(environment), region, service: 's3' });
    const { hostname: bucket, pathname } = new URL(location);
    const prefix = pathname.replace(/^\/|\/$/g, '');
    const endpoint = endpointOf(environment, region);
    this.#fetch = proxyFetch(environment, endpoint);
    this.#baseUrl = [endpoint, bucket, prefix].filter(Boolean).join('/');
    this.#seconds = seconds;
    this.#timeout = timeout;
  }

  protected override async write(name: string, data: Buffer): Promise<void> {
    const headers = {
      'content-type': contentTypeOf(name),
      // A store that does not support this header overwrites the image with the same bytes.
      'if-none-match': '*',
    };
    const body = new Uint8Array(data);
    const { response } = await this.#send(name, { method: 'PUT', headers, body });
    if (!response.ok && response.status !== 412) throw failed('PUT', response);
  }

  protected override async read(name: string): Promise<Buffer | undefined> {
    const { response, body } = await this.#send(name);
    if (response.status === 404 || this.#isExpired(response)) return undefined;
    if (!response.ok) throw failed('GET', response);
    return body;
  }

  /** Signs and sends a request; repeats it as aws4fetch does, which cannot send through a proxy. */
  async #send(name: string, init: RequestInit = {}): Promise<Exchange> {
    for (let attempt = 0; ; attempt++) {
      const { url, method, headers } = await this.#client.sign(`${this.#baseUrl}/${name}`, init);
      const signed = { ...init, method, headers: Object.fromEntries(headers) };
      const exchange = await this.#exchange(url, signed);
      const { status } = exchange.response;
      const isBusy = status >= 500 || status === 429;
      if (!isBusy || attempt === retries.count) return exchange;
      await wait(Math.random() * retries.pause * 2 ** attempt);
    }
  }

  async #exchange(url: string, init: RequestInit): Promise<Exchange> {
    const signal = AbortSignal.timeout(this.#timeout);
    try {
      const response = await this.#fetch(url, { ...init, signal });
      return { response, body: await readBody(response, maxBytes) };
    } catch (error) {
      if (!signal.aborted) throw error;
      const limit = `${this.#timeout / 1000} seconds`;
      throw new Error(`The image store did not answer ${init.method} within ${limit}`);
    }
  }

  #isExpired({ headers }: Response): boolean {
    const stored = Date.parse(headers.get('last-modified') ?? '');
    return Date.now() - stored > 1000 * this.#seconds;
  }

  override async close(): Promise<void> {}
}

interface Exchange {
  readonly response: Response;
  readonly body: Buffer;
}

function endpointOf(environment: NodeJS.ProcessEnv, region: string): string {
  const published = `https://s3.${region}.amazonaws.com`;
  const set = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'].find((name) => environment[name]);
  if (set === undefined) return published;
  return checkEndpoint(environment[set] as string, set, published);
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
  // A redirect is not followed: a signature is valid for one host.
  const fix = status >= 300 && status < 400 ? ': check AWS_REGION and AWS_ENDPOINT_URL' : '';
  return new Error(`The image store answered ${method} with status ${status}${fix}`);
}
