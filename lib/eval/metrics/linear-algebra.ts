// LibTorch's linear algebra in float64, on the CPU, as a small TorchScript program.
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { ScriptModule, type ScriptOutput } from '../../torch/script-module.js';
import { Tensor } from '../../torch/tensor.js';
import { AsyncLazy } from '../../util/async-lazy.js';

// - factor(C): F with C = F F'. Eigenvalues that are 0 up to rounding are 0 (numpy's matrix_rank has the same limit):
//   their square roots would add up.
// - overlap(F, G): tr((C1 C2)^(1/2)) of C1 = F F' and C2 = G G', which is the sum of the singular values of F' G.
// - frechet_replicates(X, Y, W): for each row of weights W [B, N], |m|² + tr(C) - 2 tr((C C2)^(1/2)) of the weighted
//   features X [N, D], where Y = X G and C2 = G G'. The singular values come from the smaller of both Gram matrices.
// - kernel_replicates(X, Y, W): the unbiased squared discrepancy of X [N, D], weighted by W [B, N], and Y [M, D]. A row
//   that is drawn twice is not compared with itself.
const source = `class LinearAlgebra(Module):
  __parameters__ = []
  __buffers__ = []
  def factor(self: __torch__.LinearAlgebra, covariance: Tensor) -> Tensor:
    values, vectors, = torch.linalg_eigh(covariance)
    limit = torch.mul(torch.max(values), torch.mul(torch.size(values, 0), 2.220446049250313e-16))
    kept = torch.mul(torch.relu(values), torch.gt(values, limit))
    return torch.mul(vectors, torch.sqrt(kept))
  def overlap(self: __torch__.LinearAlgebra, a: Tensor, b: Tensor) -> Tensor:
    return torch.sum(torch.linalg_svdvals(torch.matmul(torch.t(a), b)))
  def product(self: __torch__.LinearAlgebra, a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a, b)
  def frechet_replicates(self: __torch__.LinearAlgebra, x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    squares = torch.sum(torch.mul(x, x), [1])
    results = annotate(List[Tensor], [])
    for i in range(torch.size(weights, 0)):
      w = torch.select(weights, 0, i)
      count = torch.sum(w)
      free = torch.sub(count, 1)
      m = torch.div(torch.matmul(w, x), count)
      gap = torch.sum(torch.mul(m, m))
      trace = torch.div(torch.sub(torch.sum(torch.mul(w, squares)), torch.mul(count, gap)), free)
      centred = torch.sub(y, torch.div(torch.matmul(w, y), count))
      z = torch.mul(centred, torch.unsqueeze(torch.sqrt(torch.div(w, free)), 1))
      if torch.lt(torch.size(z, 0), torch.size(z, 1)):
        gram = torch.matmul(z, torch.t(z))
      else:
        gram = torch.matmul(torch.t(z), z)
      overlap = torch.sum(torch.sqrt(torch.relu(torch.linalg_eigvalsh(gram))))
      _0 = torch.append(results, torch.sub(torch.add(gap, trace), torch.mul(overlap, 2)))
    return torch.stack(results)
  def kernel_replicates(self: __torch__.LinearAlgebra, x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    d = torch.size(x, 1)
    xx = torch.pow(torch.add(torch.div(torch.matmul(x, torch.t(x)), d), 1), 3)
    xy = torch.pow(torch.add(torch.div(torch.matmul(x, torch.t(y)), d), 1), 3)
    yy = torch.pow(torch.add(torch.div(torch.matmul(y, torch.t(y)), d), 1), 3)
    others = torch.sub(xx, torch.diag(torch.diag(xx)))
    sums = torch.sum(weights, [1])
    m = torch.size(y, 0)
    pairs = torch.sub(torch.mul(sums, sums), torch.sum(torch.mul(weights, weights), [1]))
    within = torch.div(torch.sum(torch.mul(torch.matmul(weights, others), weights), [1]), pairs)
    cross = torch.div(torch.matmul(weights, torch.mean(xy, [1])), sums)
    rest = torch.div(torch.sub(torch.sum(yy), torch.trace(yy)), torch.mul(m, torch.sub(m, 1)))
    return torch.add(torch.sub(within, torch.mul(cross, 2)), rest)
`;

const program = new AsyncLazy<ScriptModule>();

/** The program as a TorchScript file: a module without attributes, and its source. */
async function archive(): Promise<Buffer> {
  const file = new ZipFile();
  const records = {
    'data.pkl': '\x80\x02c__torch__\nLinearAlgebra\n)\x81}b.',
    'constants.pkl': '\x80\x02).',
    version: '3\n',
    'code/__torch__.py': source,
  };
  for (const [name, text] of Object.entries(records)) {
    file.addBuffer(Buffer.from(text, 'latin1'), `archive/${name}`, { compress: false });
  }
  file.end();
  return await buffer(file.outputStream);
}

/** A matrix in float64. The caller disposes it. */
export type Matrix = Tensor<'float64'>;

type Method = 'factor' | 'overlap' | 'product' | 'frechet_replicates' | 'kernel_replicates';

/** Runs a method of the program. */
export async function compute(
  method: Method,
  inputs: readonly Matrix[],
  signal?: AbortSignal,
): Promise<Matrix> {
  const module = await program.get(async () => ScriptModule.load(await archive()));
  return await module.run<Matrix & ScriptOutput>(method, inputs, { signal });
}

/** Rows of equal length as a matrix. */
export function toMatrix(rows: readonly ArrayLike<number>[]): Matrix {
  const width = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  return Tensor.from(values, [rows.length, width]);
}
