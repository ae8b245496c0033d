import { KarloError } from '../errors.js';
import { readRecipe } from '../images/read-recipe.js';
import type { Recipe } from '../images/recipe.js';
import { rows } from './rows.js';

/** `karlo info PICTURE`: the recipe in it. */
export async function describePicture(path: string, json: boolean): Promise<string> {
  const recipe = await readRecipe(path);
  if (recipe === undefined) {
    const message = `Expected a picture with a recipe but ${path} holds none: it was left out, or another program dropped it`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  return json ? JSON.stringify(recipe, null, 2) : describe(recipe);
}

function describe(recipe: Recipe): string {
  const { model, versions, device, dtype, decoder, upsample } = recipe;
  return rows([
    recipe.kind === 'textToImage'
      ? ['prompt', recipe.prompt]
      : ['variation of', `the picture with hash ${recipe.source.sha256} (${recipe.source.fit})`],
    ['seed', String(recipe.seed)],
    ['sampling', recipe.sampling],
    ...(recipe.kind === 'textToImage' ? [['prior', loop(recipe.prior)] as [string, string]] : []),
    ['decoder', loop(decoder)],
    ['upsample', loop(upsample)],
    ['batch size', String(recipe.batchSize)],
    ['model', `${model.name} (${model.sha256})`],
    ['made on', `${device}, ${dtype}, karlo ${versions.karlo}, LibTorch ${versions.libtorch}`],
  ]);
}

function loop(stage: Recipe['decoder']): string {
  const steps = 'steps' in stage ? `${stage.steps} steps` : `steps ${stage.timestepRespacing}`;
  return stage.guidanceScale === 1 ? steps : `${steps}, guidance scale ${stage.guidanceScale}`;
}
