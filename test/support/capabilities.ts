import { readFileSync } from 'node:fs';

/** Instruction sets of x86 that kernels are compiled for, each with a processor flag that it needs. */
const flags = { base: '', avx2: ' fma ', avx512: ' avx512bw ', avx512_bf16: ' avx512_bf16 ' };

/** Those that this processor has, the lowest first. Read from Linux, not from the addon, which tests compare. */
export function capabilities(): string[] {
  if (process.platform !== 'linux') return ['base'];
  if (process.arch === 'arm64') return ['base', 'neon', ...(hasArmBf16() ? ['neon_bf16'] : [])];
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return Object.entries(flags)
    .filter(([, flag]) => `${line} `.includes(flag))
    .map(([name]) => name);
}

// From the auxiliary vector, because an emulator shows the host's /proc/cpuinfo.
function hasArmBf16(): boolean {
  const [AT_HWCAP2, HWCAP2_BF16] = [26n, 1n << 14n];
  const bytes = readFileSync('/proc/self/auxv');
  const words = new BigUint64Array(new Uint8Array(bytes).buffer);
  const at = words.findIndex((word, i) => i % 2 === 0 && word === AT_HWCAP2);
  return at >= 0 && ((words[at + 1] ?? 0n) & HWCAP2_BF16) !== 0n;
}
