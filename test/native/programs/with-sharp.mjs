// with-sharp.mjs before|after: loads sharp, another addon with its own threads and libraries, before or after this
// package.
import { runOnce } from './common.mjs';

async function useSharp() {
  const { default: sharp } = await import('sharp');
  const image = { create: { width: 64, height: 64, channels: 3, background: 'red' } };
  const { info } = await sharp(image).resize(32).png().toBuffer({ resolveWithObject: true });
  if (info.width !== 32)
    throw new Error(`Expected 32 pixels from sharp but received ${info.width}`);
}

if (process.argv[2] === 'before') await useSharp();
await runOnce();
await useSharp();
await runOnce();
console.log('both');
