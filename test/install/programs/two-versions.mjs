// node two-versions.mjs PICTURE: two versions of the package in one process, each at work.
import { Karlo } from 'karlo';
import { Karlo as Next } from 'karlo-next';

if (Karlo === Next) throw new Error('the two are one');
const options = { device: 'cpu', dtype: 'float32' };
const [first, second] = await Promise.all([Karlo.load(options), Next.load(options)]);
const draw = (karlo) => karlo.textToImage('a red heart on a white background', { seed: 0 });
const [{ images: a }, { images: b }] = await Promise.all([draw(first), draw(second)]);
if (Buffer.compare(a[0].data, b[0].data) !== 0) throw new Error('the two pictures differ');
await b[0].toFile(process.argv[2]);
await Promise.all([first.dispose(), second.dispose()]);
