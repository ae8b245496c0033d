import { join } from 'node:path';
import { expected } from '../../errors.js';
import { builtIn } from '../../tokenizer/tokenizer-files.js';
import { isOffline } from '../../util/environment.js';
import { downloadError } from '../download/failure.js';
import { hubRemote, listRepository } from '../download/hub.js';
import { kakaoRemote, listKakao } from '../download/kakao.js';
import type { Remote } from '../download/request.js';
import type { Patience } from '../download/retries.js';
import { lackingFor, selectFiles } from '../download/select.js';
import { asStoreError } from './disk.js';
import { fill } from './fill.js';
import {
  checkModelName,
  kakaoModel,
  modelFolder,
  modelOf,
  storeFolder,
  variationsSuffix,
} from './folder.js';
import { describeRecord, listModels, type StoredModel } from './list.js';
import { withStoreLock } from './lock.js';
import { differing, filesOf, folderFor } from './members.js';
import { type Member, type ModelRecord, modelJson, readRecord } from './record.js';

export interface PullProgress {
  /** `wait`: another process changes the store; `list`: the hub is asked what there is. */
  phase: 'wait' | 'list' | 'fetch';
  /** Bytes of the model that are there, and of all of it. */
  done: number;
  total: number;
  /** A file that has just been finished. */
  finished?: { path: string; size: number };
}

export interface PullOptions {
  /** KARLO_CACHE, KARLO_OFFLINE, HF_TOKEN, HF_ENDPOINT, KARLO_KAKAO_URL. Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** A branch, tag or commit. Default `main`. */
  revision?: string;
  /** Preferred weights, e.g. `fp16`. Default: those without a variant. */
  variant?: string;
  /** With the repository `<name>-image-variations`, which the model is combined with. */
  variations?: boolean;
  onProgress?: (progress: PullProgress) => void;
  signal?: AbortSignal;
  patience?: Patience;
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
 * Fetches a model into the store: a repository of the hub, or Kakao's own files (`kakao`). What is
 * there is not fetched again, be it whole, in part, or of another model. A repository
 * `<name>-image-variations` becomes part of the model `<name>`.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD, ERR_KARLO_INVALID_ARGUMENT
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<Pulled> {
  const { env = process.env, signal, onProgress } = options;
  if (builtIn.includes(name)) throw downloadError(`${name} is built in: there is nothing to fetch`);
  const repos = repositories(name, options);
  if (isOffline(env)) return thereOrRefused(repos, env);
  const store = storeFolder(env);
  const onWait = () => onProgress?.({ phase: 'wait', done: 0, total: 0 });
  try {
    return await withStoreLock(store, { signal, onWait }, async (either) => {
      const pulled: Pulled[] = [];
      for (const repo of repos)
        pulled.push(await pullOne(repo, { ...options, env, signal: either }));
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

async function thereOrRefused(repos: readonly string[], env: NodeJS.ProcessEnv): Promise<Pulled> {
  const models = await listModels({ env });
  const found = models.find(
    ({ state, repositories }) =>
      state === 'complete' && repos.every((repo) => repositories.includes(repo)),
  );
  if (found)
    return { ...found, warnings: ['KARLO_OFFLINE is set: no newer revision was looked for'] };
  const message = `${repos.join(' and ')} would have to be fetched, but KARLO_OFFLINE forbids it. Allow it with: unset KARLO_OFFLINE`;
  throw downloadError(message);
}

async function pullOne(repo: string, settings: Settings): Promise<Pulled> {
  const { env, signal, onProgress, patience, freeBytes } = settings;
  onProgress?.({ phase: 'list', done: 0, total: 0 });
  const remote = repo === kakaoModel ? kakaoRemote : hubRemote(repo, env);
  const member = await (repo === kakaoModel ? kakaoMember(settings) : hubMember(remote, settings));
  const name = modelOf(repo);
  const folder = modelFolder(env, name);
  const former = (await readRecord(folder, modelJson))?.members ?? [];
  const members = [...former.filter((other) => other.repo !== repo), member];
  const record: ModelRecord = {
    format: 1,
    name,
    layout: repo === kakaoModel ? 'kakao' : 'huggingface',
    folder: folderFor(filesOf(members)),
    date: new Date().toISOString(),
    pulled: repo,
    members,
  };
  checkTasks(record);
  await fill(folder, record, {
    ...{ remote, signal },
    ...(patience && { patience }),
    ...(freeBytes && { freeBytes }),
    onBytes: (done, total, finished) =>
      onProgress?.({ phase: 'fetch', done, total, ...(finished && { finished }) }),
  });
  const stored = await describeRecord(record, join(folder, record.folder));
  return { ...stored, warnings: warningsOf(record) };
}

async function hubMember(remote: Remote, settings: Settings): Promise<Member> {
  const { revision = 'main', variant } = settings;
  const { commit, files } = await listRepository(remote, revision, settings);
  const selected = selectFiles(remote.name, files, variant);
  return { repo: remote.name, revision, commit, ...(variant && { variant }), files: selected };
}

async function kakaoMember(settings: Settings): Promise<Member> {
  const files = await listKakao(settings);
  return { repo: kakaoModel, revision: 'v1.0.0.alpha', commit: 'v1.0.0.alpha', files };
}

/** Refuses, before gigabytes are fetched, what no task could use. */
function checkTasks({ layout, members, pulled }: ModelRecord): void {
  if (layout === 'kakao') return;
  const lacking = (['textToImage', 'imageVariation'] as const).map((task) =>
    lackingFor(task, filesOf(members)),
  );
  if (lacking.some((paths) => paths.length === 0)) return;
  const [least = []] = lacking.sort((a, b) => a.length - b.length);
  const some = `${least.slice(0, 4).join(', ')}${least.length > 4 ? ' and more' : ''}`;
  throw downloadError(`Expected a Karlo model in ${pulled} but it lacks ${some}`);
}

function warningsOf({ members, name }: ModelRecord): string[] {
  const components = differing(members).join(', ');
  if (components === '') return [];
  return [
    `The two repositories have different weights for ${components}: those of ${name} are used`,
  ];
}
