#pragma once

namespace karlo::exporting {

// LibTorch computes shapes on the meta device for nearly every operator; for those that the
// networks use and that lack it (PyTorch has them in Python only), this registers it, once a
// process.
void register_meta_kernels();

}  // namespace karlo::exporting
