import { toSquare } from '../../lib/images/square.js';
import type { Model } from '../../lib/layouts/index.js';
import type { Residency } from '../../lib/networks/residency.js';
import { resolveTextToImage } from '../../lib/options/resolve-generation.js';
import { loadNetworks } from '../../lib/pipeline/load-networks.js';
import { Noise } from '../../lib/pipeline/samplers/noise.js';
import { DecoderStage } from '../../lib/pipeline/stages/decoder.js';
import { ImageEncoderStage } from '../../lib/pipeline/stages/image-encoder.js';
import { schedulerOf } from '../../lib/pipeline/stages/index.js';
import { PriorStage } from '../../lib/pipeline/stages/prior.js';
import { type StageRun, stageRun } from '../../lib/pipeline/stages/stage.js';
import { type EncodedPrompt, TextEncoderStage } from '../../lib/pipeline/stages/text-encoder.js';
import { UpsampleStage } from '../../lib/pipeline/stages/upsample.js';
import type { StageName } from '../../lib/pipeline/task.js';
import { ClipTokenizer } from '../../lib/tokenizer/tokenizer.js';
import { Engine } from '../../lib/torch/engine.js';
import type { Tensor } from '../../lib/torch/tensor.js';

const pixels = {
  width: 40,
  height: 24,
  data: Uint8Array.from({ length: 40 * 24 * 3 }, (_, i) => i),
};

/** The float32 outputs of the stages for one prompt and one image, with the model's settings. */
export async function stageOutputs(model: Model): Promise<Record<string, Float32Array>> {
  await using engine = new Engine();
  const networks = await loadNetworks(model, 'resident', {
    engine,
    device: 'cpu',
    dtype: 'float32',
  });
  const encoder = new ImageEncoderStage(model, networks);
  const square = await toSquare(pixels, { ...encoder.square, fit: 'cover' });
  const [encoded] = await encoder.run([square]);
  const outputs = { encoded: encoded as Tensor, ...(await sample(model, networks)) };
  await networks.dispose();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => [name, output.toTypedArray() as Float32Array]),
  );
}

async function sample(model: Model, networks: Residency) {
  const { folder, options } = model.tokenizer;
  const tokenizer = await ClipTokenizer.fromFolder(folder, options);
  const prompts = await new TextEncoderStage(networks, tokenizer).run(['a red heart', '']);
  const [{ text }, { text: empty }] = prompts as [EncodedPrompt, EncodedPrompt];
  using noise = new Noise([{ seed: 4 }], 'cpu');
  const run = (stage: StageName) => runOf(model, stage, noise);
  await using priorStage = new PriorStage(model, networks);
  const prior = await priorStage.run(text, [empty], empty, run('prior'));
  const inputs = { imageEmbeds: prior, text, unconditional: [empty] };
  const decoder = await new DecoderStage(model, networks).run(inputs, run('decoder'));
  const upsample = await new UpsampleStage(model, networks).run(decoder, run('upsample'));
  return { prior, decoder, upsample };
}

/** Three steps: enough to add noise twice. */
const settings = resolveTextToImage('', {
  prior: { steps: 3, guidanceScale: 4 },
  decoder: { steps: 3, guidanceScale: 4 },
  upsample: { steps: 3 },
});

function runOf(model: Model, stage: StageName, noise: Noise): StageRun {
  const others = { noise, signal: undefined, onStep: () => {} };
  return stageRun(schedulerOf(model, stage), settings[stage], others);
}
