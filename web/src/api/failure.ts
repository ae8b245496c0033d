/**
 * Why a request failed: `unauthorized` and `rejected` are the client's errors, `busy` and `failed` the
 * server's, `unreachable` the network's, and `storage` the browser's.
 */
export type FailureKind =
  | 'unauthorized'
  | 'rejected'
  | 'busy'
  | 'failed'
  | 'unreachable'
  | 'storage';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  /** Seconds after which the server asks to try again. */
  readonly retryAfter: number | undefined;

  constructor(kind: FailureKind, message: string, retryAfter?: number) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** The failure of a response whose status is an error. */
export async function failureOf(response: Response): Promise<Failure> {
  const body = await response.json().catch(() => undefined);
  const seconds = Number(response.headers.get('retry-after'));
  const message = messageOf(body) ?? `The server responded with status ${response.status}.`;
  return new Failure(kindOf(response.status), message, seconds > 0 ? seconds : undefined);
}

/** The message of an error in the shape of OpenAI's API. */
export function messageOf(body: unknown): string | undefined {
  const message = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  if (typeof message !== 'string') return undefined;
  // The API's messages have no final period. On the page, they are sentences.
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}

export function unreachable(): Failure {
  const message = 'The server may have stopped, or your network connection may be down.';
  return new Failure('unreachable', message);
}

function kindOf(status: number): FailureKind {
  if (status === 429 || status === 503) return 'busy';
  if (status === 401) return 'unauthorized';
  if (status === 502 || status === 504) return 'unreachable';
  return status < 500 ? 'rejected' : 'failed';
}
