import { z } from 'zod';
import { invalidArgument, KarloError } from '../../errors.js';
import { proxyFetch } from '../../util/proxy-fetch.js';
import { reasonOf } from '../../util/reason-of.js';
import type { Checksum } from './checksum.js';
import type { RemoteFile } from './download.js';
import { downloadError } from './failure.js';
import { connectionError, get, type Remote } from './request.js';
import { type RetryPolicy, withRetries } from './retries.js';
import { StallTimeout } from './stall.js';
import { findToken, type HubToken } from './token.js';

/** The files of a hub repository at one commit. */
export interface Listing {
  commit: string;
  files: RemoteFile[];
}

/** The hub's URL without a trailing slash: HF_ENDPOINT, or the public hub. */
export function hubEndpoint({ HF_ENDPOINT = '' }: NodeJS.ProcessEnv): string {
  const endpoint = HF_ENDPOINT.trim().replace(/\/+$/, '') || 'https://huggingface.co';
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  throw invalidArgument(
    `Expected an address such as https://huggingface.co for HF_ENDPOINT but received '${endpoint}'`,
  );
}

/** A hub repository as a download source, with the user's token if there is one. */
export function hubRemote(repo: string, env: NodeJS.ProcessEnv): Remote {
  const endpoint = hubEndpoint(env);
  const token = findToken(env);
  return {
    name: repo,
    fetch: proxyFetch(env),
    ...(token && { token: { value: token.value, origin: new URL(endpoint).origin } }),
    explain: (status, code) => explain(repo, endpoint, token, status, code),
  };
}

function explain(
  repo: string,
  endpoint: string,
  token: HubToken | undefined,
  status: number,
  code: string | null,
): string | undefined {
  const page = `${endpoint}/${repo}`;
  const access = `accept its licence at ${page}, create a token at ${endpoint}/settings/tokens, and use it: hf auth login, or export HF_TOKEN=hf_...`;
  if (code === 'GatedRepo') return `${repo} is only available to registered users: ${access}`;
  if (code === 'RevisionNotFound') return `${repo} has no such revision: see ${page}/tree/main`;
  if (code === 'EntryNotFound') return `${repo} changed during the download: try again`;
  if (status === 401 && token && code !== 'RepoNotFound') {
    return `The hub rejects ${token.source}: ${token.advice}`;
  }
  // Without access, the hub does not reveal whether a private repository exists.
  if (status === 401) return `${page} does not exist or is private: check the name, or ${access}`;
  if (status === 403)
    return `${token?.source ?? 'A user without a token'} may not read ${repo}: ${access}`;
  return status === 404 ? `${page} does not exist: check the name` : undefined;
}

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().nonnegative(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.int().nonnegative() }).optional(),
});

/**
 * Lists all files of a repository at the commit that a revision currently refers to.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function listRepository(
  remote: Remote,
  revision: string,
  settings: { env: NodeJS.ProcessEnv; signal: AbortSignal; retryPolicy?: RetryPolicy },
): Promise<Listing> {
  // Imported here because only a pull needs it.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const hubUrl = hubEndpoint(settings.env);
  const fetch = hubFetch(remote, settings.signal, settings.retryPolicy);
  const { name } = remote;
  try {
    const info = await modelInfo({ name, revision, hubUrl, fetch, additionalFields: ['sha'] });
    // All further requests name the commit, so that a new upload cannot mix with this listing.
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
    const unexpected = error instanceof z.ZodError || error instanceof SyntaxError;
    const reason = unexpected ? 'its response is not that of a Hugging Face hub' : reasonOf(error);
    throw downloadError(`Cannot list ${name} at ${hubUrl}: ${reason}`, error);
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

/** The `fetch` passed to the hub library: retries, and sends the token only to the hub. */
function hubFetch(
  remote: Remote,
  signal: AbortSignal,
  retryPolicy: RetryPolicy = {},
): typeof globalThis.fetch {
  return (input) =>
    withRetries(() => getComplete(String(input), remote, signal, retryPolicy), retryPolicy, signal);
}

async function getComplete(
  url: string,
  remote: Remote,
  signal: AbortSignal,
  { stall: limit = 30_000 }: RetryPolicy,
): Promise<Response> {
  const stall = new StallTimeout(limit, signal);
  try {
    const response = await get(url, remote, { Accept: 'application/json' }, stall.signal);
    const body = await response.arrayBuffer().catch((error) => {
      throw connectionError(error, new URL(url).host, stall.signal);
    });
    return new Response(body, response);
  } finally {
    stall.stop();
  }
}
