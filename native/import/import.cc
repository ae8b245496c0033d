#include "import/import.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/import.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "import/divisions.h"
#include "import/nesting.h"

namespace karlo::importing {
namespace {

bool is_source(const std::string& record) {
  return record.rfind("code/", 0) == 0 && record.size() >= 3 &&
         record.compare(record.size() - 3, 3, ".py") == 0;
}

void check_archive(std::shared_ptr<caffe2::serialize::ReadAdapterInterface> file) {
  caffe2::serialize::PyTorchStreamReader reader(std::move(file));
  if (reader.hasRecord("model.json")) {
    throw std::runtime_error(
        "it has the format of PyTorch 1.0. Save it again with a newer version");
  }
  for (const std::string& record : reader.getAllRecords()) {
    if (!is_source(record)) continue;
    const auto [data, size] = reader.getRecord(record);
    check_nesting(std::string(static_cast<const char*>(data.get()), size));
  }
}

}  // namespace

torch::jit::Module import_module(std::shared_ptr<caffe2::serialize::ReadAdapterInterface> file,
                                 c10::Device device) {
  check_divisions();
  check_archive(file);
  return torch::jit::load(std::move(file), device);
}

}  // namespace karlo::importing
