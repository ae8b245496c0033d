import { z } from 'zod';
import { KarloError } from '../../errors.js';
import type { Checksum } from './checksum.js';
import type { RemoteFile } from './download.js';
import { downloadError, reasonOf } from './failure.js';
import { get, passing, type Remote } from './request.js';
import { type Patience, withRetries } from './retries.js';
import { Stall } from './stall.js';

/** A repository of the hub at one commit. */
export interface Listing {
  commit: string;
  files: RemoteFile[];
}

/** The hub: HF_ENDPOINT, or the public one. Without a slash at its end. */
export function hubEndpoint({ HF_ENDPOINT = '' }: NodeJS.ProcessEnv): string {
  const endpoint = HF_ENDPOINT.trim().replace(/\/+$/, '') || 'https://huggingface.co';
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  throw new KarloError(
    'ERR_KARLO_INVALID_ARGUMENT',
    `Expected an address such as https://huggingface.co for HF_ENDPOINT but received '${endpoint}'`,
  );
}

/** A repository of the hub as a place to fetch from, with HF_TOKEN where there is one. */
export function hubRemote(repo: string, env: NodeJS.ProcessEnv): Remote {
  const endpoint = hubEndpoint(env);
  const token = tokenOf(env);
  return {
    name: repo,
    ...(token && { token: { value: token, origin: new URL(endpoint).origin } }),
    explain: (status, code) => explain(repo, endpoint, token !== undefined, status, code),
  };
}

function tokenOf({ HF_TOKEN = '' }: NodeJS.ProcessEnv): string | undefined {
  const token = HF_TOKEN.trim();
  if (/^[\x21-\x7e]*$/.test(token)) return token || undefined;
  // The usual shape of such a message would show the token.
  const message = 'Expected a token in HF_TOKEN but received characters that no token has';
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}

function explain(
  repo: string,
  endpoint: string,
  hasToken: boolean,
  status: number,
  code: string | null,
): string | undefined {
  const page = `${endpoint}/${repo}`;
  const access = `accept its licence at ${page}, make a token at ${endpoint}/settings/tokens, and set it: export HF_TOKEN=hf_...`;
  if (code === 'GatedRepo') return `${repo} is open to registered users only: ${access}`;
  if (code === 'RevisionNotFound') return `${repo} has no such revision: see ${page}/tree/main`;
  if (code === 'EntryNotFound') return `${repo} has changed while it was fetched: try again`;
  if (status === 401 && hasToken && code !== 'RepoNotFound') {
    return `The hub refuses HF_TOKEN: make another at ${endpoint}/settings/tokens, or do without: unset HF_TOKEN`;
  }
  // The hub does not tell a stranger whether a private repository exists.
  if (status === 401)
    return `${page} is not there, or not for everyone: check the name, or ${access}`;
  if (status === 403) return `HF_TOKEN may not read ${repo}: ${access}`;
  return status === 404 ? `${page} is not there: check the name` : undefined;
}

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().nonnegative(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.int().nonnegative() }).optional(),
});

/**
 * All files of a repository at the commit that a revision names now.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function listRepository(
  remote: Remote,
  revision: string,
  settings: { env: NodeJS.ProcessEnv; signal: AbortSignal; patience?: Patience },
): Promise<Listing> {
  // Not loaded with the command line: only a pull needs it.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const hubUrl = hubEndpoint(settings.env);
  const fetch = hubFetch(remote, settings.signal, settings.patience);
  const { name } = remote;
  try {
    const info = await modelInfo({ name, revision, hubUrl, fetch, additionalFields: ['sha'] });
    // From here on by commit: what is published meanwhile does not mix with it.
    const commit = z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .parse(info.sha);
    const repo = { type: 'model', name } as const;
    const files = new Map<string, RemoteFile>();
    for await (const found of listFiles({
      repo,
      revision: commit,
      recursive: true,
      hubUrl,
      fetch,
    })) {
      const entry = entrySchema.parse(found);
      if (entry.type !== 'file') continue;
      files.set(entry.path, toFile(entry, `${hubUrl}/${name}/resolve/${commit}`));
    }
    return { commit, files: [...files.values()] };
  } catch (error) {
    settings.signal.throwIfAborted();
    if (error instanceof KarloError) throw error;
    const strange = error instanceof z.ZodError || error instanceof SyntaxError;
    const reason = strange ? 'its answer is not that of a hub' : reasonOf(error);
    throw downloadError(`Listing ${name} at ${hubUrl} failed: ${reason}`, error);
  }
}

function toFile({ path, size, oid, lfs }: z.infer<typeof entrySchema>, folder: string): RemoteFile {
  const checksum: Checksum = lfs
    ? {
        algorithm: 'sha256',
        hex: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .parse(lfs.oid),
      }
    : {
        algorithm: 'git-sha1',
        hex: z
          .string()
          .regex(/^[0-9a-f]{40}$/)
          .parse(oid),
      };
  const url = `${folder}/${path.split('/').map(encodeURIComponent).join('/')}`;
  return { path, size: lfs?.size ?? size, checksum, url };
}

/** The hub's library asks through this: with retries, and the token to the hub alone. */
function hubFetch(
  remote: Remote,
  signal: AbortSignal,
  patience: Patience = {},
): typeof globalThis.fetch {
  return (input) =>
    withRetries(() => getWhole(String(input), remote, signal, patience), patience, signal);
}

async function getWhole(
  url: string,
  remote: Remote,
  signal: AbortSignal,
  { stall: limit = 30_000 }: Patience,
): Promise<Response> {
  const stall = new Stall(limit, signal);
  try {
    const response = await get(url, remote, { Accept: 'application/json' }, stall.signal);
    const body = await response.arrayBuffer().catch((error) => {
      throw passing(error, new URL(url).host, stall.signal);
    });
    return new Response(body, response);
  } finally {
    stall.stop();
  }
}
