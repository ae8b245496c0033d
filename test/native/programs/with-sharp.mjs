// sharp (another addon, with threads and libraries of its own) loaded BEFORE or AFTER this package.
import { runOnce } from './common.mjs';

async function useSharp() {
  const { default: sharp } = await import('sharp');
  const picture = { create: { width: 64, height: 64, channels: 3, background: 'red' } };
  const { info } = await sharp(picture).resize(32).png().toBuffer({ resolveWithObject: true });
  if (info.width !== 32) throw new Error(`sharp made ${info.width} pixels`);
}

if (process.argv[2] === 'before') await useSharp();
await runOnce();
await useSharp();
await runOnce();
console.log('both');
