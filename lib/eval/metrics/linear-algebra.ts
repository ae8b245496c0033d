// LibTorch's linear algebra in float64, on the CPU, as a small TorchScript program.
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { ScriptModule, type ScriptOutput } from '../../torch/script-module.js';
import { Tensor } from '../../torch/tensor.js';
import { AsyncLazy } from '../../util/async-lazy.js';

// - factor(C): F [D, R] with C = F F', where R is the rank. Eigenvalues that are 0 up to rounding are left out (numpy's
//   matrix_rank has the same limit): the square roots of rounding errors would add up.
// - overlap(F, G): tr((C1 C2)^(1/2)) of C1 = F F' and C2 = G G', which is the sum of the singular values of F' G.
// - frechet_replicate(X, G, w): |m|² + tr(C) - 2 tr((C C2)^(1/2)) of the mean and covariance of the features X [N, D],
//   weighted by w [N], and of C2 = G G': the distance without the constant tr(C2). The squared singular values are
//   the eigenvalues of the smaller one of two Gram matrices.
// - kernel_replicates(X, Y, W): the unbiased squared discrepancy of X [N, D], weighted by W [B, N], and Y [M, D]. A row
//   that is drawn twice is not compared with itself.
const source = `class LinearAlgebra(Module):
  __parameters__ = []
  __buffers__ = []
  def factor(self: __torch__.LinearAlgebra, covariance: Tensor) -> Tensor:
    values, vectors, = torch.linalg_eigh(covariance)
    limit = torch.mul(torch.max(values), torch.mul(torch.size(values, 0), 2.220446049250313e-16))
    first = torch.size(values, 0) - int(torch.sum(torch.gt(values, limit)))
    kept = torch.slice(values, 0, first)
    return torch.mul(torch.slice(vectors, 1, first), torch.sqrt(kept))
  def overlap(self: __torch__.LinearAlgebra, a: Tensor, b: Tensor) -> Tensor:
    return torch.sum(torch.linalg_svdvals(torch.matmul(torch.t(a), b)))
  def frechet_replicate(self: __torch__.LinearAlgebra, x: Tensor, factor: Tensor, weights: Tensor) -> Tensor:
    count = torch.sum(weights)
    mean = torch.div(torch.matmul(weights, x), count)
    scale = torch.sqrt(torch.div(weights, torch.sub(count, 1)))
    z = torch.mul(torch.sub(x, mean), torch.unsqueeze(scale, 1))
    if torch.lt(torch.size(z, 0), torch.size(factor, 1)):
      projected = torch.matmul(z, factor)
      gram = torch.matmul(projected, torch.t(projected))
      trace = torch.sum(torch.mul(z, z))
    else:
      covariance = torch.matmul(torch.t(z), z)
      gram = torch.matmul(torch.t(factor), torch.matmul(covariance, factor))
      trace = torch.trace(covariance)
    overlap = torch.sum(torch.sqrt(torch.relu(torch.linalg_eigvalsh(gram))))
    gap = torch.sum(torch.mul(mean, mean))
    return torch.sub(torch.add(gap, trace), torch.mul(overlap, 2))
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

type Method = 'factor' | 'overlap' | 'frechet_replicate' | 'kernel_replicates';

/** Runs a method of the program. */
export async function compute(
  method: Method,
  inputs: readonly Matrix[],
  signal?: AbortSignal,
): Promise<Matrix> {
  const module = await program.get(async () => ScriptModule.load(await archive()));
  return await module.run<Matrix & ScriptOutput>(method, inputs, { signal });
}

/**
 * Rows of equal length as a matrix.
 * @param origin is subtracted from each row
 */
export function toMatrix(rows: readonly ArrayLike<number>[], origin?: ArrayLike<number>): Matrix {
  const width = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j < width; j++) {
      values[i * width + j] = (row[j] as number) - (origin?.[j] ?? 0);
    }
  }
  return Tensor.from(values, [rows.length, width]);
}
