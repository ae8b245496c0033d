/** Why a request came to nothing, in the words that the page uses for it. */
export type FailureKind = 'busy' | 'key' | 'gone' | 'refused' | 'failed' | 'unkept';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;

  constructor(kind: FailureKind, message: string, retryAfter?: number) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** The error of an answer that is no success. */
export async function failureOf(response: Response): Promise<Failure> {
  const body = await response.json().catch(() => undefined);
  const seconds = Number(response.headers.get('retry-after'));
  const message = messageOf(body) ?? `The server answered with status ${response.status}`;
  return new Failure(kindOf(response.status), message, seconds > 0 ? seconds : undefined);
}

/** The message in a body of OpenAI's error shape. */
export function messageOf(body: unknown): string | undefined {
  const message = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  return typeof message === 'string' ? message : undefined;
}

export function unreachable(): Failure {
  return new Failure('gone', 'It does not answer. Perhaps it was stopped, or the network is down.');
}

function kindOf(status: number): FailureKind {
  if (status === 429 || status === 503) return 'busy';
  if (status === 401) return 'key';
  if (status === 502 || status === 504) return 'gone';
  return status < 500 ? 'refused' : 'failed';
}
