#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

#include "export/recorder.h"
#include "nets/config.h"
#include "nets/scope.h"

namespace karlo::nets {

// Builds a network from its config and records its methods.
using RecordNetwork = void (*)(const exporting::Recorder&, const Scope&, const ConfigReader&);

// Makes a kind of network known to trace_network(). Each network has one file in this folder, which
// ends with a registration and documents the methods that it records. In their signatures, B is the
// batch, E the width of a CLIP embedding and of the text's hidden states, T that of the decoder's
// time embedding, C that of its context, H the height and width of an image, and S a number of
// timesteps. t is int64 [B], [1] or a scalar; a mask is bool or int64, with 1 where a token counts.
class Registration {
 public:
  Registration(const char* kind, RecordNetwork record);
};

struct TracedNetwork {
  torch::jit::Module module;           // its parameters are empty: set_parameter() fills them
  std::vector<TensorSpec> parameters;  // the tensors that a checkpoint must contain
};

// Records a network's methods as TorchScript, without weights, so that the size of the network does
// not matter. Floating-point inputs may have any dtype, and what a method computes from x has the
// dtype of x. A network's own dtype is that of the tensors it is given: module.to(dtype) would also
// convert those that stay float32. Caches have the batch as their first dimension, which must be
// that of x.
// @param kind of a registered network, "prior" for example
// @param config its Hugging Face config.json @param methods the methods to record; all if empty
// @throws std::invalid_argument for an unknown kind, or a config that is not supported
TracedNetwork trace_network(const std::string& kind, const Config& config,
                            const std::vector<std::string>& methods = {});

}  // namespace karlo::nets
