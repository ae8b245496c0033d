import { COMPONENTS, type ComponentName, NETWORKS_OF, type Task } from '../networks/registry.js';
import { checkAgreement } from './check-dimensions.js';
import type { ModelDescription } from './describe.js';
import { describeHuggingFace } from './huggingface/describe.js';
import { describeKakao } from './kakao/describe.js';
import { type HuggingFaceLayout, type KakaoLayout, requireTask } from './layout.js';

/**
 * Reads the configs and weight headers of a published folder; no weight is loaded.
 *
 * With a `task`, exactly its networks, and they must all be there; without one, those there are.
 * Throws `ERR_KARLO_MODEL_NOT_FOUND` for what is missing and `ERR_KARLO_MODEL_CORRUPT`, naming
 * file and key, for what is wrong.
 */
export async function describeModel(
  layout: HuggingFaceLayout | KakaoLayout,
  task?: Task,
): Promise<ModelDescription> {
  if (task) requireTask(layout, task);
  const wanted: readonly ComponentName[] = task ? NETWORKS_OF[task] : COMPONENTS;
  const model =
    layout.kind === 'kakao'
      ? await describeKakao(layout, wanted)
      : await describeHuggingFace(layout, wanted);
  checkAgreement(model);
  return model;
}
