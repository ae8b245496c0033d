#pragma once

namespace karlo::exporting {

// Registers meta kernels, which compute shapes, for the operators of the networks that have none in
// LibTorch (PyTorch has them in Python only). Once per process.
void register_meta_kernels();

}  // namespace karlo::exporting
