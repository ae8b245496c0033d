// node import.mjs IMAGE
import { Karlo } from 'karlo';

const karlo = await Karlo.load({ device: 'cpu', dtype: 'float32' });
const { images } = await karlo.textToImage('a red heart on a white background', { seed: 0 });
await images[0].toFile(process.argv[2]);
await karlo.dispose();
