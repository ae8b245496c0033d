import { accessSync, constants, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidArgument } from '../errors.js';
import { readRecipe } from '../images/read-recipe.js';
import { writeAtomically } from '../images/write-file.js';
import { cannotWrite } from '../util/file-errors.js';
import { makeFolder } from '../util/files.js';
import type { Caption } from './captions.js';
import {
  type ImageModel,
  type ImageRequest,
  type Manifest,
  manifestFile,
  readManifest,
  requireSame,
  writeManifest,
} from './manifest.js';

/** The generated images of a setting, `000042.png` of caption 42, and the manifest that describes them. */
export class ImageFolder {
  readonly path: string;
  readonly #request: ImageRequest;
  #manifest: Promise<Manifest> | undefined;

  /**
   * Opens a folder, which can be new.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it has images of another request
   */
  static async open(path: string, request: ImageRequest): Promise<ImageFolder> {
    const manifest = await readManifest(path);
    if (manifest === undefined) await requireNoImages(path);
    else requireSame(path, manifest, request);
    return new ImageFolder(path, request, manifest);
  }

  private constructor(path: string, request: ImageRequest, manifest: Manifest | undefined) {
    this.path = path;
    this.#request = request;
    this.#manifest = manifest && Promise.resolve(manifest);
  }

  /** The file of a caption's image. */
  fileOf({ number }: Caption): string {
    return join(this.path, `${`${number}`.padStart(6, '0')}.png`);
  }

  /**
   * Creates the folder.
   * @throws {KarloError} ERR_KARLO_WRITE
   */
  create(): void {
    try {
      makeFolder(this.path);
      accessSync(this.path, constants.W_OK);
    } catch (cause) {
      const file = join(this.path, manifestFile);
      throw cannotWrite(file, cause, 'Use another output folder');
    }
  }

  /** The captions whose images are missing. */
  async missing(captions: readonly Caption[]): Promise<Caption[]> {
    const files = new Set((await namesIn(this.path)).map((name) => join(this.path, name)));
    return captions.filter((caption) => !files.has(this.fileOf(caption)));
  }

  /**
   * Checks what is known of a model before it is loaded.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if images are from another one
   */
  async requireSame(model: Partial<ImageModel>): Promise<void> {
    const manifest = await this.#manifest;
    if (manifest !== undefined) requireSame(this.path, manifest, model);
  }

  /**
   * Checks that a model is the one that the images are from. Of a new folder, it becomes that one.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for another model or dtype
   */
  async requireModel({ model, dtype }: ImageModel): Promise<void> {
    const current = { model, dtype };
    const { path } = this;
    this.#manifest ??= writeManifest(path, { format: 1, ...this.#request, ...current });
    const manifest = await this.#manifest;
    requireSame(path, manifest, current);
    requireSame(path, manifest, this.#request);
  }

  /** What the images are from, once there are any. */
  async model(): Promise<ImageModel> {
    const { model, dtype } = (await this.#manifest) as Manifest;
    return { model, dtype };
  }

  /**
   * Writes the image of a caption: the file is complete or absent at any time.
   * @param data a PNG file with its recipe, which names the model
   */
  async save(caption: Caption, data: Uint8Array): Promise<void> {
    const recipe = await readRecipe(data);
    if (recipe === undefined) {
      throw invalidArgument(
        `Expected a recipe in the image of caption ${caption.number} but it has none`,
      );
    }
    await this.requireModel(recipe);
    await writeAtomically(this.fileOf(caption), data, true);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return existsSync(folder) ? await readdir(folder) : [];
}

async function requireNoImages(path: string): Promise<void> {
  if (!(await namesIn(path)).some((name) => name.endsWith('.png'))) return;
  const message = `Expected a new folder, or one with ${manifestFile}, but ${path} has images without it. Use another --output`;
  throw invalidArgument(message);
}
