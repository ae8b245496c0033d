// node tensors.mjs: karlo/torch, typed handles over LibTorch
import { devices, Generator, Tensor, version } from 'karlo/torch';

const usable = devices().filter(({ available }) => available);
console.log(`LibTorch ${version().libtorch} on ${usable.map(({ device }) => device).join(', ')}`);

const noise = new Generator(0).randn([1, 3, 8, 8]); // bit for bit torch.randn with seed 0
const smooth = noise.resizeBicubic(4, 4).clamp(-1, 1).add(1).mul(127.5);
const bytes = smooth.round().to({ dtype: 'uint8' });
console.log(bytes.shape, bytes.dtype, bytes.toTypedArray().slice(0, 4));

const matrix = Tensor.from(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
console.log(matrix.permute([1, 0]).toTypedArray());
for (const tensor of [noise, smooth, bytes, matrix]) tensor.dispose(); // or leave them to the garbage collector
