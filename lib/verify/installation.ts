import type { Model } from '../layouts/index.js';
import { type DeviceInfo, devices } from '../torch/device.js';
import { type VersionInfo, version } from '../torch/load.js';
import { packageVersion } from '../util/package.js';

/** What a bug report needs about an installation and a model. It has no paths. */
export interface Installation {
  readonly karlo: string;
  readonly node: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
  readonly libtorch: Pick<VersionInfo, 'build' | 'cuda' | 'source'> & { readonly version: string };
  /** The instruction sets of the package's kernels and of LibTorch's. */
  readonly kernels: string;
  readonly cpuCapability: string;
  readonly threads: number;
  /** The first one is the CPU. */
  readonly devices: readonly DeviceInfo[];
  readonly model: {
    /** Its name, or that of its folder. */
    readonly name: string;
    readonly layout: string;
    readonly fingerprint: string;
  };
}

export async function describeInstallation(
  name: string,
  model: Model,
  threads: number,
): Promise<Installation> {
  const { libtorch, build, cuda, source, cpuCapability, kernels } = version();
  return {
    karlo: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libtorch: { version: libtorch, build, cuda, source },
    ...{ kernels, cpuCapability, threads, devices: devices() },
    model: { name, layout: model.layout, fingerprint: await model.fingerprint() },
  };
}
