#include "core/cuda_graphs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "cuda_graphs/recorder.h"

using namespace karlo::cuda_graphs;

namespace {

using Tensors = MethodGraphs::Tensors;
using Work = std::function<void()>;

// A recorder without CUDA: it keeps the work that it records, and calls it to replay it.
struct Repeater final : Recorder {
  struct Repeated final : Graph {
    explicit Repeated(Work work) : work(std::move(work)) {}
    void replay() override { work(); }
    const Work work;
  };

  void warm_up(c10::Device /*device*/, const Work& work) override {
    ++warm_ups;
    work();
  }
  std::unique_ptr<Graph> capture(c10::Device /*device*/, Work work) override {
    ++captures;
    if (!error.empty()) throw std::runtime_error(error);
    return std::make_unique<Repeated>(std::move(work));
  }

  int warm_ups = 0;
  int captures = 0;
  std::string error;  // of capture()
};

// The process uses a recorder while this exists.
struct Recording {
  Recording() { use(&recorder); }
  ~Recording() { use(nullptr); }
  Repeater recorder;
};

at::Tensor filled(double value, int64_t size = 2) { return at::full({size}, value); }

// x + y, which counts its calls and remembers its inputs.
struct Addition {
  at::Tensor operator()(const Tensors& inputs) {
    ++calls;
    addresses = {inputs[0].const_data_ptr(), inputs[1].const_data_ptr()};
    return inputs[0] + inputs[1];
  }
  int calls = 0;
  std::vector<const void*> addresses;
};

}  // namespace

TEST_CASE("a method is recorded after its first calls and replayed from then on") {
  Recording recording;
  MethodGraphs graphs({"step"});
  Addition addition;
  const auto method = std::ref(addition);
  for (int i = 0; i < 6; ++i) {
    const auto result = graphs.run("step", {filled(i), filled(10)}, method);
    CHECK(at::equal(result, filled(i + 10)));
  }
  CHECK(recording.recorder.warm_ups == MethodGraphs::kWarmUpCalls);
  CHECK(recording.recorder.captures == 1);
  CHECK(statistics().graphs == 1);
}

TEST_CASE("a graph reads its own copies of the inputs") {
  Recording recording;
  MethodGraphs graphs({"step"});
  Addition addition;
  std::vector<const void*> addresses;
  for (int i = 0; i < 6; ++i) {
    const auto x = filled(i);
    graphs.run("step", {x, x}, std::ref(addition));
    CHECK((addition.addresses[0] == x.const_data_ptr()) == (i < MethodGraphs::kWarmUpCalls));
    if (i == MethodGraphs::kWarmUpCalls) addresses = addition.addresses;
  }
  CHECK(addition.addresses == addresses);
}

TEST_CASE("a result does not change with the next call") {
  Recording recording;
  MethodGraphs graphs({"step"});
  Addition addition;
  Tensors results;
  for (int i = 0; i < 6; ++i) {
    results.push_back(graphs.run("step", {filled(i), filled(0)}, std::ref(addition)));
  }
  for (int i = 0; i < 6; ++i) CHECK(at::equal(results[i], filled(i)));
}

TEST_CASE("each method, shape and dtype has its own graph") {
  Recording recording;
  MethodGraphs graphs({"step", "other"});
  Addition addition;
  for (int i = 0; i < 5; ++i) {
    for (const auto& x : {filled(i), filled(i, 3), filled(i).to(at::kDouble)}) {
      CHECK(at::equal(graphs.run("step", {x, x}, std::ref(addition)), x + x));
      CHECK(at::equal(graphs.run("other", {x, x}, std::ref(addition)), x + x));
    }
  }
  CHECK(statistics().graphs == 6);
}

TEST_CASE("the least recently used graph makes room for a new one") {
  Recording recording;
  MethodGraphs graphs({"step"});
  Addition addition;
  const auto limit = static_cast<int64_t>(MethodGraphs::kMaxEntries);
  for (int64_t size = 1; size <= limit + 1; ++size) {
    for (int i = 0; i < 4; ++i) {
      graphs.run("step", {filled(i, size), filled(i, size)}, std::ref(addition));
    }
  }
  CHECK(statistics().graphs == limit);
  graphs.run("step", {filled(1, 2), filled(1, 2)}, std::ref(addition));
  CHECK(recording.recorder.captures == limit + 1);
  graphs.run("step", {filled(1, 1), filled(1, 1)}, std::ref(addition));
  CHECK(statistics().graphs == limit - 1);  // size 3 is gone, and size 1 is new
}

TEST_CASE("a module's graphs are freed with it") {
  Recording recording;
  {
    MethodGraphs graphs({"step"});
    Addition addition;
    for (int i = 0; i < 4; ++i) graphs.run("step", {filled(i), filled(i)}, std::ref(addition));
    CHECK(statistics().graphs == 1);
  }
  CHECK(statistics().graphs == 0);
}

TEST_CASE("a method that cannot be recorded runs as usual") {
  Recording recording;
  recording.recorder.error = "operation not permitted when stream is capturing";
  MethodGraphs graphs({"step"});
  Addition addition;
  for (int i = 0; i < 6; ++i) {
    CHECK(at::equal(graphs.run("step", {filled(i), filled(1)}, std::ref(addition)), filled(i + 1)));
  }
  CHECK(recording.recorder.captures == 1);
  CHECK_FALSE(statistics().available);
  CHECK(statistics().reason == recording.recorder.error);
}

TEST_CASE("a batch that does not fit into memory twice leaves others to be recorded") {
  Recording recording;
  recording.recorder.error = "CUDA out of memory. Tried to allocate 2 GiB";
  MethodGraphs graphs({"step"});
  Addition addition;
  for (int i = 0; i < 5; ++i) graphs.run("step", {filled(i, 9), filled(i, 9)}, std::ref(addition));
  recording.recorder.error.clear();
  CHECK(statistics().available);
  for (int i = 0; i < 5; ++i) graphs.run("step", {filled(i), filled(i)}, std::ref(addition));
  CHECK(statistics().graphs == 1);
}

TEST_CASE("the error of a method reaches the caller, and ends no other recording") {
  Recording recording;
  MethodGraphs graphs({"step"});
  const auto fails = [](const Tensors&) -> at::Tensor { throw std::runtime_error("its own"); };
  CHECK_THROWS_WITH(graphs.run("step", {filled(1)}, fails), "its own");
  CHECK(statistics().available);
}

TEST_CASE("all graphs can be released, and no more are recorded") {
  Recording recording;
  MethodGraphs graphs({"step"});
  Addition addition;
  CHECK_FALSE(release_all("out of memory"));
  for (int i = 0; i < 5; ++i) graphs.run("step", {filled(i), filled(i)}, std::ref(addition));
  CHECK(release_all("out of memory"));
  CHECK(statistics().graphs == 0);
  CHECK(statistics().reason == "out of memory");
  CHECK(at::equal(graphs.run("step", {filled(1), filled(2)}, std::ref(addition)), filled(3)));
  CHECK(recording.recorder.captures == 1);
}

TEST_CASE("only the methods named are recorded, and none without a recorder") {
  const MethodGraphs graphs({"step"});
  CHECK_FALSE(graphs.records("step"));
  const Recording recording;
  CHECK(graphs.records("step"));
  CHECK_FALSE(graphs.records("prefill"));
}

TEST_CASE("a library that cannot be opened is an error with the reason") {
  CHECK_THROWS_WITH(open("/nowhere/libkarlo_cuda.so"),
                    Catch::Matchers::Contains("/nowhere/libkarlo_cuda.so"));
}
