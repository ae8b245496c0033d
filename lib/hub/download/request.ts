import { PrivateAddress } from '../../util/address-guard.js';
import type { Fetch } from '../../util/proxy-fetch.js';
import { causeOf, reasonOf } from '../../util/reason-of.js';
import { LargeBody, SlowTransfer } from '../../util/transfer.js';
import { downloadError, TransientError } from './failure.js';

/** A download source. */
export interface Remote {
  /** The name in messages: `kakaobrain/karlo-v1-alpha`. */
  name: string;
  /** The URL that the user chose, or the published one. */
  endpoint: string;
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
 * @param url of the endpoint, or one to which it refers: see {@link checkReference}
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
    checkReference(address, new URL(remote.endpoint));
    const response = await send(address, remote, headers, signal);
    if (acceptedStatuses.includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!redirectStatuses.includes(response.status) || location === null) {
      throw statusError(response, address, new URL(url), remote);
    }
    if (!URL.canParse(location, address.href)) {
      throw downloadError(`${address.host} redirects to an address that is not a URL`);
    }
    address = new URL(location, address);
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

/**
 * Turns a network failure into a TransientError. If the signal is aborted, returns its reason. What the server did on
 * purpose is not repeated.
 */
export function connectionError(error: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted && !(signal.reason instanceof SlowTransfer)) return signal.reason;
  if (signal.aborted) return new TransientError(signal.reason.message);
  if (error instanceof LargeBody) return error;
  const refused = causeOf(error, PrivateAddress);
  if (refused) return privateAddress(refused);
  return new TransientError(`the connection to ${host} failed: ${reasonOf(error)}`, {
    cause: error,
  });
}

/**
 * Checks an address to which a server refers by a redirect or in a listing: `https:`, or the endpoint itself. Its
 * host must be on the internet, unless it is the endpoint's, which is checked when it is connected (`Remote.fetch`).
 */
function checkReference(address: URL, endpoint: URL): void {
  const { protocol, origin, hostname } = address;
  if (protocol === 'https:' || origin === endpoint.origin) return;
  // Servers on this machine often have a port for each service.
  if (protocol === 'http:' && hostname === endpoint.hostname && loopback.test(hostname)) return;
  const message = `${endpoint.host} refers to ${protocol}//${address.host}, which is not https:. Use another server: ${endpoint.origin} does not deliver the files safely`;
  throw downloadError(message);
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function privateAddress({ message }: PrivateAddress): Error {
  const fix = 'If that is your own server, make it the endpoint: HF_ENDPOINT or KARLO_KAKAO_URL';
  return downloadError(`${message}, to which a server may not refer. ${fix}`);
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
