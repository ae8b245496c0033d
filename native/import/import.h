#pragma once

#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>

namespace karlo::importing {

// torch::jit::load() with limits, so that a file that does not parse, or a graph that divides by 0,
// throws and does not end the process. It remains a program: it can read and write files.
torch::jit::Module import_module(std::shared_ptr<caffe2::serialize::ReadAdapterInterface> file,
                                 c10::Device device);

}  // namespace karlo::importing
