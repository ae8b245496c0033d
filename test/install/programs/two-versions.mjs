// node two-versions.mjs IMAGE: two versions of the package generate at the same time, in one process
import { Karlo } from 'karlo';
import { Karlo as Next } from 'karlo-next';

if (Karlo === Next) throw new Error('Expected two versions but received one');
const options = { device: 'cpu', dtype: 'float32' };
const [first, second] = await Promise.all([Karlo.load(options), Next.load(options)]);
const generate = (karlo) => karlo.textToImage('a red heart on a white background', { seed: 0 });
const [{ images: a }, { images: b }] = await Promise.all([generate(first), generate(second)]);
if (Buffer.compare(a[0].data, b[0].data) !== 0) throw new Error('The two images differ');
await b[0].toFile(process.argv[2]);
await Promise.all([first.dispose(), second.dispose()]);
