import { invalidArgument } from '../errors.js';
import { AddressGuard, PrivateAddress } from './address-guard.js';
import { causeOf, reasonOf } from './reason-of.js';

/** The part of `fetch` that downloads and stores use. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The proxies that an environment names; undefined for direct connections. */
interface Proxies {
  readonly addresses: Readonly<Record<'httpProxy' | 'httpsProxy' | 'noProxy', string>>;
  /** The variables, for messages. */
  readonly variables: string;
}

/** Never reached through a proxy, as in Go's and Node's own support. */
const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * `fetch` for a server that the user chose, and for the addresses to which it refers. Those must be on the
 * internet: a server cannot make this machine reach into its own network. Redirects are not followed.
 *
 * Requests go through the proxies of the environment: `HTTP_PROXY`, `HTTPS_PROXY` (or else `HTTP_PROXY`) and
 * `NO_PROXY`, in upper or lower case. Node.js itself reads them only with `NODE_USE_ENV_PROXY=1`, from
 * version 22.21 and 24.0. A proxy resolves names itself, so that only addresses in URLs are checked.
 * @param endpoint URL of the server. It and the proxies may have any address
 * @returns a function that rejects with a PrivateAddress, possibly as the `cause` of an error
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an address that is not that of an HTTP proxy
 */
export function proxyFetch(env: NodeJS.ProcessEnv, endpoint: string): Fetch {
  const proxies = proxiesOf(env);
  const guard = new AddressGuard(new URL(endpoint).hostname);
  let opened: Promise<Fetch> | undefined;
  return async (url, init) => {
    guard.check(new URL(url).hostname);
    opened ??= openFetch(guard, proxies);
    try {
      return await (await opened)(url, { ...init, redirect: 'manual' });
    } catch (cause) {
      init?.signal?.throwIfAborted();
      if (!proxies || causeOf(cause, PrivateAddress)) throw cause;
      throw new Error(`${reasonOf(cause)}. Check ${proxies.variables}`);
    }
  };
}

/** Not Node's `fetch`, whose version of undici may not accept the agents of another one. */
async function openFetch({ lookup }: AddressGuard, proxies: Proxies | undefined): Promise<Fetch> {
  // Imported on use, because few commands send requests.
  const { Agent, EnvHttpProxyAgent, fetch: send } = await import('undici');
  const options = { connect: { lookup } };
  // Without a tunnel, because many proxies allow CONNECT only for https:.
  const dispatcher = proxies
    ? new EnvHttpProxyAgent({ ...options, ...proxies.addresses, proxyTunnel: false })
    : new Agent(options);
  return (url, init) => send(url, { ...init, dispatcher } as object) as Promise<never>;
}

function proxiesOf(env: NodeJS.ProcessEnv): Proxies | undefined {
  const [http, https, none] = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].map((name) =>
    variable(name, env),
  ) as [Variable, Variable, Variable];
  const set = [http, https].filter(({ value }) => value !== '');
  if (set.length === 0 || none.value === '*') return undefined;
  return {
    addresses: {
      httpProxy: addressOf(http),
      httpsProxy: addressOf(https),
      noProxy: [none.value, ...loopback].join(),
    },
    variables: set.map(({ name }) => name).join(' and '),
  };
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** A variable in either case; the lower case takes precedence, as in curl. */
function variable(name: string, env: NodeJS.ProcessEnv): Variable {
  const names = [name.toLowerCase(), name];
  const found = names.find((one) => env[one]?.trim()) ?? name;
  return { name: found, value: env[found]?.trim() ?? '' };
}

/** Like curl, accepts an address without `http://`. The message does not print it: it may have a password. */
function addressOf({ name, value }: Variable): string {
  if (value === '') return '';
  const address = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  const message = `Expected the address of an HTTP proxy, such as http://proxy.example:3128, for ${name} but received something else`;
  throw invalidArgument(message);
}
