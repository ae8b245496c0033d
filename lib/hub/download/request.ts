import type { Fetch } from '../../util/proxy-fetch.js';
import { reasonOf } from '../../util/reason-of.js';
import { downloadError, TransientError } from './failure.js';

/** A download source. */
export interface Remote {
  /** The name in messages: `kakaobrain/karlo-v1-alpha`. */
  name: string;
  /** Sends a request, through a proxy if the environment names one. */
  fetch: Fetch;
  /** Sent only to this origin, also after redirects. */
  token?: { value: string; origin: string };
  /** Explains an error status and how to fix it; undefined if nothing is known about it. */
  explain?(status: number, errorCode: string | null): string | undefined;
}

const maxRedirects = 10;
const redirectStatuses = [301, 302, 303, 307, 308];
// The caller handles 416, a range past the end of the file.
const acceptedStatuses = [200, 206, 416];
const busyStatuses = [408, 425, 429];

/**
 * Sends a GET request and follows redirects.
 * @returns a response of status 200, 206 or 416
 * @throws {TransientError} if another attempt may succeed
 * @throws {KarloError} ERR_KARLO_DOWNLOAD if no further attempt can succeed
 */
export async function get(
  url: string,
  remote: Remote,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let address = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await send(address, remote, headers, signal);
    if (acceptedStatuses.includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!redirectStatuses.includes(response.status) || location === null) {
      throw statusError(response, address, new URL(url), remote);
    }
    address = redirected(location, address);
  }
  throw downloadError(`${new URL(url).host} redirects more than ${maxRedirects} times`);
}

async function send(
  address: URL,
  { token, fetch }: Remote,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const authorization =
    token?.origin === address.origin ? { Authorization: `Bearer ${token.value}` } : {};
  try {
    return await fetch(address, {
      headers: { ...headers, ...authorization },
      // Redirects are followed here, so that the token is sent only to its own origin.
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw connectionError(error, address.host, signal);
  }
}

/** Turns a network failure into a TransientError. If the signal is aborted, returns its reason. */
export function connectionError(error: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return new TransientError(`the connection to ${host} failed: ${reasonOf(error)}`, {
    cause: error,
  });
}

function redirected(location: string, from: URL): URL {
  const address = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const allowed = from.protocol === 'https:' ? ['https:'] : ['https:', 'http:'];
  if (address && allowed.includes(address.protocol)) return address;
  throw downloadError(`${from.host} redirects to an address that is not ${allowed.join(' or ')}`);
}

// A URL can contain a signature, which grants access like a password: messages name only the host.
function statusError(response: Response, address: URL, requested: URL, remote: Remote): Error {
  const { status, headers } = response;
  const outcome = `${address.host} responded with status ${status}`;
  // A signed URL that the hub redirected to has expired: the hub issues a new one.
  const expired = status === 403 && address.origin !== requested.origin;
  if (status >= 500 || busyStatuses.includes(status) || expired) {
    return new TransientError(outcome, { retryAfter: retryAfter(headers.get('retry-after')) });
  }
  const meaning = remote.explain?.(status, headers.get('x-error-code'));
  return downloadError(meaning ?? `${outcome} for ${requested.pathname}`);
}

/** Parses a `Retry-After` header (seconds or a date) to milliseconds. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const time = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(time) ? undefined : Math.max(0, time);
}
