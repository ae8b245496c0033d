import { expected, invalidArgument, quote } from '../errors.js';
import type { Karlo, KarloOptions } from '../karlo.js';
import { resolveLoadOptions } from '../options/resolve-load.js';
import { knownOptions, object, oneOf, text } from '../options/validate.js';
import { checkEndpoint } from '../util/endpoint.js';
import { Connection } from './connection.js';
import { LoadedModels, localGenerate } from './local.js';
import { imageModel } from './model.js';
import { serverGenerate } from './server.js';
import type { KarloImageModel, Specification } from './types.js';

/** What both kinds of provider have. */
interface CommonSettings<V extends Specification> {
  /** The version of the AI SDK's specification. Default `v3`, which AI SDK 6 and 7 accept; `v4` requires AI SDK 7. */
  readonly specificationVersion?: V | undefined;
}

/** How models are loaded in this process: the options of `Karlo.load`. The model is that of `image`. */
export interface LocalSettings<V extends Specification = 'v3'>
  extends CommonSettings<V>,
    Omit<KarloOptions, 'model' | 'signal'> {
  /** Only servers have one: {@link ServerSettings}. */
  readonly baseURL?: undefined;
}

/** How `karlo serve` is reached. */
export interface ServerSettings<V extends Specification = 'v3'> extends CommonSettings<V> {
  /** The address of the API, such as `http://127.0.0.1:8080/v1`. */
  readonly baseURL: string;
  /** An API key of the server. */
  readonly apiKey?: string | undefined;
  /** Further headers of each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Replaces `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** A provider of the AI SDK. It can be part of a provider registry. */
export interface KarloProvider<V extends Specification = 'v3'> {
  /** The version of the AI SDK's specification. */
  readonly specificationVersion: V;
  /** The image model of this name. */
  image(model: string): KarloImageModel<V>;
  /** The same as `image`, under the name that the AI SDK uses. */
  imageModel(model: string): KarloImageModel<V>;
  /** Throws, because there are only image models. */
  languageModel(model: string): never;
  /** Throws, because there are only image models. */
  embeddingModel(model: string): never;
}

/** A provider whose models run in this process. */
export interface LocalKarloProvider<V extends Specification = 'v3'>
  extends KarloProvider<V>,
    AsyncDisposable {
  /** The image model of this name, which is loaded on first use, or of a loaded model. */
  image(model: string | Karlo): KarloImageModel<V>;
  /** Frees the models that this provider has loaded. The next use loads them again. */
  dispose(): Promise<void>;
}

/**
 * Creates a provider of image models for the AI SDK: in this process, or with `baseURL` on a server.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function createKarlo<V extends Specification = 'v3'>(
  settings: ServerSettings<V>,
): KarloProvider<V>;
export function createKarlo<V extends Specification = 'v3'>(
  settings?: LocalSettings<V>,
): LocalKarloProvider<V>;
export function createKarlo<V extends Specification>(
  settings: LocalSettings<V> | ServerSettings<V> = {},
): KarloProvider<V> {
  const { specificationVersion, ...others } = object(settings, 'settings');
  const version = oneOf(specificationVersion, ['v3', 'v4'], 'specificationVersion', 'v3') as V;
  return others.baseURL === undefined
    ? localProvider(version, others)
    : serverProvider(version, others);
}

function localProvider<V extends Specification>(
  version: V,
  { baseURL: _, ...options }: LocalSettings,
): LocalKarloProvider<V> {
  resolveLoadOptions(options);
  const models = new LoadedModels(options);
  const image = (model: string | Karlo) =>
    typeof model === 'string'
      ? imageModel(
          version,
          model,
          localGenerate(() => models.get(model)),
        )
      : imageModel(
          version,
          model.model,
          localGenerate(async () => model),
        );
  const dispose = () => models.dispose();
  return { ...providerOf(version, image), image, dispose, [Symbol.asyncDispose]: dispose };
}

const serverSettings = ['baseURL', 'apiKey', 'headers', 'fetch'];

function serverProvider<V extends Specification>(
  version: V,
  settings: ServerSettings,
): KarloProvider<V> {
  knownOptions(settings, serverSettings, 'settings');
  const { baseURL, apiKey, headers, fetch } = settings;
  const connection = new Connection({
    baseURL: checkEndpoint(text(baseURL, 'baseURL', ''), 'baseURL', 'http://127.0.0.1:8080/v1'),
    headers: { ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }), ...headers },
    fetch,
  });
  return providerOf(version, (model) => {
    if (typeof model !== 'string') throw expected('the name of a model', 'model', model);
    return imageModel(version, model, serverGenerate(connection, model));
  });
}

function providerOf<V extends Specification>(
  specificationVersion: V,
  image: KarloProvider<V>['image'],
): KarloProvider<V> {
  return {
    specificationVersion,
    image,
    imageModel: image,
    languageModel: (model) => notImage('language', model),
    embeddingModel: (model) => notImage('embedding', model),
  };
}

function notImage(kind: string, model: string): never {
  const message = `Expected an image model but received the ${kind} model ${quote(model)}: karlo has only image models`;
  throw invalidArgument(message, { argument: 'model' });
}

/** A provider of models in this process, with the default options. */
export const karlo = createKarlo();
