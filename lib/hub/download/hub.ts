import { checkEndpoint } from '../../util/endpoint.js';
import { proxyFetch } from '../../util/proxy-fetch.js';
import type { Remote } from './request.js';
import { findToken, type HubToken } from './token.js';

const publicHub = 'https://huggingface.co';

/** The hub's URL without a trailing slash: HF_ENDPOINT, or the public hub. */
export function hubEndpoint({ HF_ENDPOINT }: NodeJS.ProcessEnv): string {
  return checkEndpoint(HF_ENDPOINT?.trim() || publicHub, 'HF_ENDPOINT', publicHub);
}

/** A hub repository as a download source, with the user's token if there is one. */
export async function hubRemote(repo: string, env: NodeJS.ProcessEnv): Promise<Remote> {
  const endpoint = hubEndpoint(env);
  const token = await findToken(env);
  return {
    name: repo,
    endpoint,
    fetch: proxyFetch(env, endpoint),
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
