#pragma once

namespace karlo::ops {

// Registers every operator of this folder with LibTorch. Graphs of converted models contain them.
void register_operators();

}  // namespace karlo::ops
