import { KarloError } from '../errors.js';

/** How a server is set up. */
export interface ServerSettings {
  /** The address to listen on. Others than loopback demand a key. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Whoever has one of these may use the API; with none, everyone on this machine may. */
  apiKeys: readonly string[];
  /** Serve without keys on an address that others reach. */
  insecure: boolean;
  /** Origins of web pages that may use the API, beyond the server's own. */
  cors: readonly string[];
  /** Where clients reach the server, if not at its own address: behind a proxy. */
  publicUrl?: string;
  /** Pictures a request. */
  maxN: number;
  /** Bytes of a picture to vary. */
  maxImageBytes: number;
  /** Pixels of a picture to vary. */
  maxImagePixels: number;
  /** Seconds that a request may take, waiting included. */
  requestTimeout: number;
  /** Picture requests a minute, for each key or else address; 0 is no limit. */
  rateLimit: number;
  /** Seconds for which pictures answered by `url` are kept. */
  resultSeconds: number;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
  /** Whether prompts are logged. */
  logPrompts: boolean;
  /** Folder of the built page; `dist/web` by default. */
  webFolder?: string;
}

export const defaults: ServerSettings = {
  host: '127.0.0.1',
  port: 8080,
  apiKeys: [],
  insecure: false,
  cors: [],
  maxN: 8,
  maxImageBytes: 20e6,
  maxImagePixels: 32e6,
  requestTimeout: 600,
  rateLimit: 300,
  resultSeconds: 3600,
  logLevel: 'info',
  logPrompts: false,
};

/** What pino leaves out: the client of Redis notes with an error what was sent, pictures and prompts. */
export const unlogged = { paths: ['err.command'], remove: true };

const shortestKey = 16;

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for settings that would leave the server open */
export function checkSettings({ host, apiKeys, insecure, cors }: ServerSettings): void {
  if (!isLoopback(host) && apiKeys.length === 0 && !insecure) {
    refuse(
      `Expected a key for a server that others reach (--host ${host}): give --api-key or KARLO_API_KEYS, or --insecure to serve everyone`,
    );
  }
  if (apiKeys.some((key) => key.length < shortestKey)) {
    refuse(`Expected API keys of at least ${shortestKey} characters but received a shorter one`);
  }
  const wrong = cors.find((origin) => !isOrigin(origin));
  if (wrong !== undefined) {
    refuse(`Expected an origin such as https://example.org for --cors but received '${wrong}'`);
  }
}

function refuse(message: string): never {
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
