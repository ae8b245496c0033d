import { extname } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { KarloError } from '../../errors.js';
import { contentTypes, type ResultStore } from './results.js';

export interface S3Options {
  /** `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
  address: string;
  /** Seconds after which a picture counts as gone; a rule of the bucket has to delete it. */
  seconds: number;
  /** Credentials, region and endpoint, by the names that all of AWS's tools know. */
  environment: NodeJS.ProcessEnv;
}

/** Finished pictures in a store that speaks S3. */
export class S3Results implements ResultStore {
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #seconds: number;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where credentials are missing */
  constructor({ address, seconds, environment }: S3Options) {
    const { AWS_REGION: region = 'us-east-1' } = environment;
    this.#client = new AwsClient({
      ...credentials(environment),
      region,
      service: 's3',
      retries: 3,
    });
    const { hostname: bucket, pathname } = new URL(address);
    const prefix = pathname.replace(/^\/|\/$/g, '');
    const endpoint =
      environment.AWS_ENDPOINT_URL_S3 ??
      environment.AWS_ENDPOINT_URL ??
      `https://s3.${region}.amazonaws.com`;
    this.#base = [endpoint.replace(/\/$/, ''), bucket, prefix].filter(Boolean).join('/');
    this.#seconds = seconds;
  }

  async put(name: string, data: Buffer): Promise<void> {
    const headers = {
      'content-type': contentTypes[extname(name).slice(1) as 'png'],
      // The first one under a name stays, where the store knows of this; else both are the same.
      'if-none-match': '*',
    };
    const body = new Uint8Array(data);
    const response = await this.#client.fetch(this.#url(name), { method: 'PUT', headers, body });
    await response.arrayBuffer();
    if (!response.ok && response.status !== 412) throw refused('PUT', response);
  }

  async get(name: string): Promise<Buffer | undefined> {
    const response = await this.#client.fetch(this.#url(name));
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 404 || this.#isOld(response)) return undefined;
    if (!response.ok) throw refused('GET', response);
    return body;
  }

  #url(name: string): string {
    return `${this.#base}/${name}`;
  }

  #isOld({ headers }: Response): boolean {
    const stored = Date.parse(headers.get('last-modified') ?? '');
    return Date.now() - stored > 1000 * this.#seconds;
  }

  async close(): Promise<void> {}
}

function credentials(environment: NodeJS.ProcessEnv) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    const message =
      'Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment for --results s3://…';
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

function refused(method: string, { status }: Response): Error {
  return new Error(`The picture store answered ${method} with status ${status}`);
}
