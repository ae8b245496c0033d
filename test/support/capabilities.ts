import { readFileSync } from 'node:fs';

/** Instruction sets that kernels are compiled for, each with a processor flag that it needs. */
const flags = { base: '', avx2: ' fma ', avx512: ' avx512bw ', avx512_bf16: ' avx512_bf16 ' };

/** Those that this processor has, the lowest first. Read from Linux, not from the addon, which tests compare. */
export function capabilities(): string[] {
  if (process.arch !== 'x64' || process.platform !== 'linux') return ['base'];
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return Object.entries(flags)
    .filter(([, flag]) => `${line} `.includes(flag))
    .map(([name]) => name);
}
