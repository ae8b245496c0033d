import { join } from 'node:path';
import { z } from 'zod';
import { expected } from '../../errors.js';
import { builtIn } from '../../layouts/built-in.js';
import { offlineVariable } from '../../util/environment.js';
import type { RemoteFile } from '../download/download.js';
import { downloadError } from '../download/failure.js';
import { hubRemote } from '../download/hub.js';
import { kakaoRemote, listKakao } from '../download/kakao.js';
import { listRepository, readRemoteJson } from '../download/listing.js';
import type { Remote } from '../download/request.js';
import type { RetryPolicy } from '../download/retries.js';
import { missingInRepository, selectCheckerFiles, selectFiles } from '../download/select.js';
import {
  checkModelName,
  kakaoModel,
  modelFolder,
  modelOf,
  storeFolder,
  variationsSuffix,
} from './folder.js';
import { installFiles } from './install-files.js';
import { describeRecord, listModels, type StoredModel } from './list.js';
import { withStoreLock } from './lock.js';
import { differingComponents, filesOf, folderFor } from './model-files.js';
import { type Member, type ModelRecord, modelJson, readRecord } from './record.js';
import { asStoreError } from './store-errors.js';

export interface PullProgress {
  /** `wait`: another process is changing the store; `list`: the hub's files are being listed. */
  phase: 'wait' | 'list' | 'fetch';
  /** Bytes downloaded. */
  done: number;
  /** Bytes of the complete model. */
  total: number;
  /** A file that has just been completed. */
  finished?: { path: string; size: number };
}

export interface PullOptions {
  /** The variables that docs/guide/models.md lists. Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** A branch, tag or commit. Default `main`. */
  revision?: string;
  /** Preferred weights, e.g. `fp16`. Default: those without a variant. */
  variant?: string;
  /** Also pulls the repository `<name>-image-variations` into the model. */
  variations?: boolean;
  onProgress?: (progress: PullProgress) => void;
  signal?: AbortSignal;
  retryPolicy?: RetryPolicy;
  freeBytes?: (folder: string) => Promise<number>;
}

export interface Pulled extends StoredModel {
  warnings: string[];
}

interface Settings extends PullOptions {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Downloads a model to the store: a hub repository, or Kakao Brain's own files (`kakao`). Files that the
 * store already has, completely or partially, even in another model, are not downloaded again. A
 * repository `<name>-image-variations` becomes part of the model `<name>`.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD, ERR_KARLO_INVALID_ARGUMENT
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<Pulled> {
  const { env = process.env, signal, onProgress } = options;
  if (builtIn.includes(name))
    throw downloadError(`${name} is built in: there is nothing to download`);
  const repos = repositories(name, options);
  const offline = offlineVariable(env);
  if (offline) return storedOrRefused(repos, offline, env);
  const store = storeFolder(env);
  const onWait = () => onProgress?.({ phase: 'wait', done: 0, total: 0 });
  try {
    return await withStoreLock(store, { signal, onWait }, async (lockSignal) => {
      const pulled: Pulled[] = [];
      for (const repo of repos)
        pulled.push(await pullOne(repo, { ...options, env, signal: lockSignal }));
      return pulled.at(-1) as Pulled;
    });
  } catch (error) {
    throw asStoreError(error, store);
  }
}

function repositories(name: unknown, options: PullOptions): string[] {
  const repo = checkModelName(name);
  const { revision, variant, variations = false } = options;
  if (repo === kakaoModel && (revision ?? variant ?? (variations || undefined)) !== undefined) {
    throw expected('no revision, variant or variations with kakao', 'the pull', name);
  }
  if (revision !== undefined && !/^[\w./-]{1,200}$/.test(revision)) {
    throw expected('a branch, tag or commit', 'revision', revision);
  }
  if (variant !== undefined && !/^\w{1,40}$/.test(variant)) {
    throw expected("a word such as 'fp16'", 'variant', variant);
  }
  return variations ? [modelOf(repo), `${modelOf(repo)}${variationsSuffix}`] : [repo];
}

async function storedOrRefused(
  repos: readonly string[],
  variable: string,
  env: NodeJS.ProcessEnv,
): Promise<Pulled> {
  const models = await listModels({ env });
  const found = models.find(
    ({ state, repositories }) =>
      state === 'complete' && repos.every((repo) => repositories.includes(repo)),
  );
  if (found)
    return { ...found, warnings: [`${variable} is set: did not look for a newer revision`] };
  const message = `Cannot download ${repos.join(' and ')} because ${variable} is set. Allow downloads: unset ${variable}`;
  throw downloadError(message);
}

async function pullOne(repo: string, settings: Settings): Promise<Pulled> {
  const { env, signal, onProgress, retryPolicy, freeBytes } = settings;
  onProgress?.({ phase: 'list', done: 0, total: 0 });
  const remote = repo === kakaoModel ? kakaoRemote(env) : await hubRemote(repo, env);
  const { member, layout } = await (repo === kakaoModel
    ? kakaoMember(remote, settings)
    : hubMember(remote, settings));
  const name = modelOf(repo);
  const folder = modelFolder(env, name);
  const previous = (await readRecord(folder, modelJson))?.members ?? [];
  const members = [...previous.filter((other) => other.repo !== repo), member];
  const record: ModelRecord = {
    format: 1,
    name,
    layout,
    folder: folderFor(filesOf(members)),
    date: new Date().toISOString(),
    pulled: repo,
    members,
  };
  checkTasks(record);
  await installFiles(folder, record, {
    ...{ remote, signal },
    ...(retryPolicy && { retryPolicy }),
    ...(freeBytes && { freeBytes }),
    onBytes: (done, total, finished) =>
      onProgress?.({ phase: 'fetch', done, total, ...(finished && { finished }) }),
  });
  const stored = await describeRecord(record, join(folder, record.folder));
  return { ...stored, warnings: warningsOf(record) };
}

/** A repository with the files that are pulled, and their layout. */
interface SelectedMember {
  readonly member: Member;
  readonly layout: ModelRecord['layout'];
}

async function hubMember(remote: Remote, settings: Settings): Promise<SelectedMember> {
  const { revision = 'main', variant } = settings;
  const { commit, files: listed } = await listRepository(remote, revision, settings);
  const ofChecker = await checkerFiles(remote, listed, settings);
  const files = ofChecker ?? selectFiles(remote.name, listed, variant);
  return {
    member: { repo: remote.name, revision, commit, ...(variant && { variant }), files },
    layout: ofChecker ? 'safety-checker' : 'huggingface',
  };
}

/** The files of a safety checker; undefined if the repository is none. Other models of CLIP have the same files. */
async function checkerFiles(
  remote: Remote,
  listed: readonly RemoteFile[],
  settings: Settings,
): Promise<RemoteFile[] | undefined> {
  const files = selectCheckerFiles(listed, settings.variant);
  const config = files?.find(({ path }) => path === 'config.json');
  if (config === undefined) return undefined;
  const parsed = checkerConfig.safeParse(await readRemoteJson(config, remote, settings));
  return parsed.success ? files : undefined;
}

const checkerConfig = z.looseObject({
  architectures: z.tuple([z.literal('StableDiffusionSafetyChecker')]),
});

async function kakaoMember(remote: Remote, settings: Settings): Promise<SelectedMember> {
  const files = await listKakao(remote, settings);
  const [commit, repo] = ['v1.0.0.alpha', kakaoModel];
  return { member: { repo, revision: commit, commit, files }, layout: 'kakao' };
}

/** Rejects a repository that no task could use, before gigabytes are downloaded. */
function checkTasks({ layout, members, pulled }: ModelRecord): void {
  if (layout !== 'huggingface') return;
  const missing = (['textToImage', 'imageVariation'] as const).map((task) =>
    missingInRepository(task, filesOf(members)),
  );
  if (missing.some((paths) => paths.length === 0)) return;
  const [fewest = []] = missing.sort((a, b) => a.length - b.length);
  const some = `${fewest.slice(0, 4).join(', ')}${fewest.length > 4 ? ' and more' : ''}`;
  throw downloadError(
    `Expected a Karlo model in ${pulled} but ${some} ${fewest.length === 1 ? 'is' : 'are'} missing`,
  );
}

function warningsOf({ members, name }: ModelRecord): string[] {
  const components = differingComponents(members).join(', ');
  if (components === '') return [];
  return [
    `The two repositories have different weights for ${components}: those of ${name} are used`,
  ];
}
