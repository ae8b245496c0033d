import { downloadError, Passing, reasonOf } from './failure.js';

/** Where files come from. */
export interface Remote {
  /** What is fetched, for messages: `kakaobrain/karlo-v1-alpha`. */
  name: string;
  /** Sent to this origin and to no other, wherever a redirect leads. */
  token?: { value: string; origin: string };
  /** What a refusal means here and what to do about it; undefined where nothing is known. */
  explain?(status: number, errorCode: string | null): string | undefined;
}

const mostRedirects = 10;
const redirections = [301, 302, 303, 307, 308];
// 416, a range past the end, is the caller's to mend.
const served = [200, 206, 416];
const busy = [408, 425, 429];

/**
 * A GET that follows redirects.
 * @returns a response of status 200, 206 or 416
 * @throws {Passing} where another attempt may succeed
 * @throws {KarloError} ERR_KARLO_DOWNLOAD where none will
 */
export async function get(
  url: string,
  remote: Remote,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let address = new URL(url);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await send(address, remote, headers, signal);
    if (served.includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!redirections.includes(response.status) || location === null) {
      throw refusal(response, address, new URL(url), remote);
    }
    address = redirected(location, address);
  }
  throw downloadError(`${new URL(url).host} redirects more than ${mostRedirects} times`);
}

async function send(
  address: URL,
  { token }: Remote,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const authorization =
    token?.origin === address.origin ? { Authorization: `Bearer ${token.value}` } : {};
  try {
    return await fetch(address, {
      headers: { ...headers, ...authorization },
      // Not left to fetch: where the token goes is decided above.
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw passing(error, address.host, signal);
  }
}

/** A failure of the network as one that may pass; the signal's own reason as it is. */
export function passing(error: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return new Passing(`the connection to ${host} failed: ${reasonOf(error)}`, { cause: error });
}

function redirected(location: string, from: URL): URL {
  const address = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const allowed = from.protocol === 'https:' ? ['https:'] : ['https:', 'http:'];
  if (address && allowed.includes(address.protocol)) return address;
  throw downloadError(`${from.host} redirects to an address that is not ${allowed.join(' or ')}`);
}

// An address can hold a signature, which is as good as a password: only its host is told.
function refusal(response: Response, address: URL, asked: URL, remote: Remote): Error {
  const { status, headers } = response;
  const said = `${address.host} answered ${status}`;
  // The signed address that the hub redirected to has expired: the hub will give another.
  const expired = status === 403 && address.origin !== asked.origin;
  if (status >= 500 || busy.includes(status) || expired) {
    return new Passing(said, { retryAfter: retryAfter(headers.get('retry-after')) });
  }
  const meaning = remote.explain?.(status, headers.get('x-error-code'));
  return downloadError(meaning ?? `${said} for ${asked.pathname}`);
}

/** Milliseconds of a `Retry-After`, which is in seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const time = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(time) ? undefined : Math.max(0, time);
}
