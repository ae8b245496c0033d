// node consumer.js IMAGE: a program in strict TypeScript
import { type GenerationEvent, Karlo, KarloError, type KarloImage } from 'karlo';
import { Tensor, version } from 'karlo/torch';

function describe(event: GenerationEvent): string {
  return event.type === 'step' ? `${event.stage} ${event.step}/${event.steps}` : 'image';
}

async function main(path: string): Promise<void> {
  const karlo: Karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
  // A program may pass on options that it did not receive.
  const unset = { count: undefined, signal: undefined, decoder: { steps: undefined } };
  const options = { ...unset, seed: 0, sampling: 'fast' } as const;
  const task = karlo.textToImage('a red heart on a white background', options);
  const events: string[] = [];
  for await (const event of task) events.push(describe(event));
  const [first]: KarloImage[] = (await task).images;
  if (first === undefined) throw new Error('no image');
  await first.toFile(path, { quality: undefined, force: undefined });
  const body = new Response(await first.toBuffer());
  await karlo.imageVariation([body, new Blob([await first.toBuffer()])], { fit: undefined });
  const data: Uint8Array<ArrayBuffer> = first.data;
  const sum: number = Tensor.from(new Float32Array([data.length])).size;
  console.log(events.length, sum, version().libtorch);
  try {
    // @ts-expect-error: a prompt is a string
    await karlo.textToImage(1);
  } catch (error) {
    if (!(error instanceof KarloError)) throw error;
  }
  await karlo.dispose();
}

await main(process.argv[2] ?? '');
