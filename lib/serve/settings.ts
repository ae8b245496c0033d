import { invalidArgument } from '../errors.js';
import type { InputLimits } from '../images/input-limits.js';
import { type Leniency, strict } from './protocol/leniency.js';
import { formSize } from './protocol/limits.js';

/** From the most severe to the least. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

/** How the log is written: for people, as JSON lines, or depending on whether it goes to a terminal. */
export const logFormats = ['auto', 'pretty', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

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
  /** What is accepted beyond the strict API. */
  leniency: Leniency;
  /** Whether the API of AUTOMATIC1111's web UI is served, below `/sdapi/v1`. */
  a1111: boolean;
  /** Images per request. */
  maxN: number;
  /** Bytes of the images of a request. */
  maxImageBytes: number;
  /** What each image may have at most. */
  imageLimits: InputLimits;
  /** Bytes of all request bodies in memory. */
  uploadBudget: number;
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
  leniency: strict,
  a1111: false,
  maxN: 10,
  maxImageBytes: 20e6,
  imageLimits: { pixels: 32e6, side: 16_384 },
  uploadBudget: 256e6,
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

function checkSettings(settings: ServerSettings): void {
  const { host, apiKeys, insecure, cors, maxImageBytes, uploadBudget } = settings;
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
  if (uploadBudget < formSize(maxImageBytes)) {
    throw invalidArgument(
      `Expected at least --max-image (${maxImageBytes / 1e6} MB) and ${formSize(0) / 1e6} MB for the other fields for --upload-budget but received ${uploadBudget / 1e6} MB`,
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
