import { invalidArgument } from '../errors.js';

/** From the most severe to the least. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

export interface ServerSettings {
  /** The address to listen on. An address other than loopback requires an API key. */
  host: string;
  /** 0 for any free port. */
  port: number;
  /** Keys that give access to the API. Without any, the API is open to everyone on this machine. */
  apiKeys: readonly string[];
  /** Whether to allow an address other than loopback without API keys. */
  insecure: boolean;
  /** Origins of other web pages that may use the API. */
  cors: readonly string[];
  /** Where clients reach the server, if it is behind a proxy. */
  publicUrl?: string;
  /** Images per request. */
  maxN: number;
  /** Bytes of an image to vary. */
  maxImageBytes: number;
  /** Pixels of an image to vary. */
  maxImagePixels: number;
  /** Seconds that a request may take, including the time in the queue. */
  requestTimeout: number;
  /** Image requests per minute for each key, or for each address if no keys are set; 0 for no limit. */
  rateLimit: number;
  /** Seconds for which images requested by URL are kept. */
  resultSeconds: number;
  logLevel: (typeof logLevels)[number];
  /** Whether to log prompts. */
  logPrompts: boolean;
  /** The folder of the built page, by default `dist/web`. */
  webFolder?: string;
}

export const defaults = {
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
} as const satisfies ServerSettings;

/** What pino must not log: ioredis attaches the command to its errors, with images and prompts in it. */
export const redact = { paths: ['err.command'], remove: true };

/** Characters of an API key. */
export const minKeyLength = 16;

/**
 * Completes the settings with their defaults, and checks them.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for settings that would leave the server open
 */
export function createSettings(overrides: Partial<ServerSettings>): ServerSettings {
  const settings = { ...defaults, ...overrides };
  checkSettings(settings);
  return settings;
}

function checkSettings({ host, apiKeys, insecure, cors }: ServerSettings): void {
  if (!isLoopback(host) && apiKeys.length === 0 && !insecure) {
    throw invalidArgument(
      `Expected an API key for --host ${host}, which other machines can reach, but received none. Set --api-key or KARLO_API_KEYS, or --insecure to allow everyone`,
    );
  }
  if (apiKeys.some((key) => key.length < minKeyLength)) {
    throw invalidArgument(
      `Expected API keys of at least ${minKeyLength} characters but received a shorter one. To make one: openssl rand -hex 16`,
    );
  }
  const wrong = cors.find((origin) => !isOrigin(origin));
  if (wrong !== undefined) {
    throw invalidArgument(
      `Expected an origin such as https://example.org for --cors but received '${wrong}'`,
    );
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export function isLoopback(host: string): boolean {
  return /^localhost$/i.test(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
