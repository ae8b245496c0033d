import { join } from 'node:path';
import { invalidArgument } from '../../errors.js';
import { whyUnreadable } from '../../util/file-errors.js';
import { readRegularFile } from '../../util/regular-file.js';

/** A token has about 40. */
const maxTokenBytes = 2 ** 16;

/** An access token of the hub. */
export interface HubToken {
  readonly value: string;
  /** Where it was found, for messages. */
  readonly source: string;
  /** How to replace it or to do without it, for messages. */
  readonly advice: string;
}

/**
 * Finds the token as Hugging Face's own programs do: `HF_TOKEN`, or the file that `hf auth login` writes,
 * which is `HF_TOKEN_PATH`, or `token` in `HF_HOME` (docs/source/en/package_reference/environment_variables.md
 * in huggingface_hub).
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a token that cannot be sent or read
 */
export async function findToken(env: NodeJS.ProcessEnv): Promise<HubToken | undefined> {
  const fromEnvironment = checked(env.HF_TOKEN, 'HF_TOKEN');
  if (fromEnvironment) {
    const advice = 'create another token, or use none: unset HF_TOKEN';
    return { value: fromEnvironment, source: 'HF_TOKEN', advice };
  }
  const path = tokenPath(env);
  const stored = path && checked(await readToken(path), path);
  if (!stored) return undefined;
  const advice = 'log in again: hf auth login, or use no token: hf auth logout';
  return { value: stored, source: `the token in ${path}`, advice };
}

function tokenPath(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HF_TOKEN_PATH) return env.HF_TOKEN_PATH;
  if (env.HF_HOME) return join(env.HF_HOME, 'token');
  const home = env.HOME || env.USERPROFILE;
  const cache = env.XDG_CACHE_HOME || (home && join(home, '.cache'));
  return cache && join(cache, 'huggingface', 'token');
}

/** The contents of the file; undefined if nobody has logged in. */
async function readToken(path: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(path, { maxBytes: maxTokenBytes })).toString();
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return undefined;
    const message = `Cannot read the token of hf auth login in ${path}: ${whyUnreadable(cause)}. Set HF_TOKEN instead`;
    throw invalidArgument(message, { cause });
  }
}

function checked(token: string | undefined, source: string): string | undefined {
  const value = token?.trim();
  if (!value) return undefined;
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  // The usual message would print the token.
  const message = `Expected a token in ${source} but received characters that a token cannot contain`;
  throw invalidArgument(message);
}
