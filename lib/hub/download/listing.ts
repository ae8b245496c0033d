// The files of a hub repository, by two endpoints of the hub's API (https://huggingface.co/docs/hub/api).
import { z } from 'zod';
import { KarloError } from '../../errors.js';
import { reasonOf } from '../../util/reason-of.js';
import { readBody, TransferWatch } from '../../util/transfer.js';
import type { Checksum } from './checksum.js';
import type { RemoteFile } from './download.js';
import { downloadError } from './failure.js';
import { hubEndpoint } from './hub.js';
import { connectionError, get, type Remote } from './request.js';
import { defaultWindow, type RetryPolicy, withRetries } from './retries.js';

/** The files of a hub repository at one commit. */
export interface Listing {
  commit: string;
  files: RemoteFile[];
}

export interface ListingSettings {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  retryPolicy?: RetryPolicy;
}

const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const revisionSchema = z.object({ sha: sha1 });

const entriesSchema = z.array(z.looseObject({ type: z.string() }));

const fileSchema = z.object({
  path: z.string(),
  size: z.int().nonnegative(),
  oid: z.string().optional(),
  lfs: z.object({ oid: sha256, size: z.int().nonnegative() }).optional(),
});

/**
 * What a hub may answer. The repositories of Karlo have about 60 files, in one page of 20 KB; the public hub puts
 * 1000 files in a page.
 */
const limits = { pages: 100, pageBytes: 2 ** 22, files: 20_000 };

/**
 * Lists all files of a repository at the commit that a revision currently refers to.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function listRepository(
  remote: Remote,
  revision: string,
  settings: ListingSettings,
): Promise<Listing> {
  const hubUrl = hubEndpoint(settings.env);
  const { name } = remote;
  const api = `${hubUrl}/api/models/${name}`;
  try {
    const response = await getComplete(
      `${api}/revision/${encodeURIComponent(revision)}?expand=sha`,
      remote,
      settings,
    );
    // All further requests name the commit, so that a new upload cannot mix with this listing.
    const { sha: commit } = revisionSchema.parse(await response.json());
    const entries = await listTree(`${api}/tree/${commit}?recursive=true`, remote, settings);
    const folder = `${hubUrl}/${name}/resolve/${commit}`;
    const files = entries
      .filter(({ type }) => type === 'file')
      .map((entry) => toFile(fileSchema.parse(entry), folder));
    // A file that is listed again replaces the earlier entry.
    return { commit, files: [...new Map(files.map((file) => [file.path, file])).values()] };
  } catch (error) {
    settings.signal.throwIfAborted();
    if (error instanceof KarloError) throw error;
    const unexpected = error instanceof z.ZodError || error instanceof SyntaxError;
    const reason = unexpected ? 'its response is not that of a Hugging Face hub' : reasonOf(error);
    throw downloadError(`Cannot list ${name} at ${hubUrl}: ${reason}`, error);
  }
}

/**
 * Reads a small JSON file of a repository.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD; SyntaxError if it is not JSON
 */
export async function readRemoteJson(
  { url }: RemoteFile,
  remote: Remote,
  settings: ListingSettings,
): Promise<unknown> {
  return (await getComplete(url, remote, settings)).json();
}

async function listTree(first: string, remote: Remote, settings: ListingSettings) {
  const entries: z.infer<typeof entriesSchema> = [];
  let url: string | undefined = first;
  for (let page = 0; url !== undefined; page++) {
    if (page === limits.pages) throw new Error(`its listing has more than ${limits.pages} pages`);
    const response = await getComplete(url, remote, settings);
    entries.push(...entriesSchema.parse(await response.json()));
    if (entries.length > limits.files) throw new Error(`it lists more than ${limits.files} files`);
    url = nextPage(response.headers.get('link'));
  }
  return entries;
}

/** The address of the next page in a `Link` header (RFC 8288). */
function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
}

function toFile({ path, size, oid, lfs }: z.infer<typeof fileSchema>, folder: string): RemoteFile {
  const checksum: Checksum = lfs
    ? { algorithm: 'sha256', hex: lfs.oid }
    : { algorithm: 'git-sha1', hex: sha1.parse(oid) };
  const url = `${folder}/${path.split('/').map(encodeURIComponent).join('/')}`;
  return { path, size: lfs?.size ?? size, checksum, url };
}

/** A response with its complete body, after several attempts if necessary. */
function getComplete(
  url: string,
  remote: Remote,
  { signal, retryPolicy = {} }: ListingSettings,
): Promise<Response> {
  return withRetries(() => getOnce(url, remote, signal, retryPolicy), retryPolicy, signal);
}

async function getOnce(
  url: string,
  remote: Remote,
  signal: AbortSignal,
  { window = defaultWindow }: RetryPolicy,
): Promise<Response> {
  const watch = new TransferWatch(window, signal);
  try {
    const response = await get(url, remote, { Accept: 'application/json' }, watch.signal);
    const onChunk = (bytes: number) => watch.add(bytes);
    const body = await readBody(response, limits.pageBytes, onChunk).catch((error) => {
      throw connectionError(error, new URL(url).host, watch.signal);
    });
    return new Response(new Uint8Array(body), response);
  } finally {
    watch.stop();
  }
}
