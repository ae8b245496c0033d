// Every network on a small config with random weights: traced, saved, loaded, run at three batch
// sizes in two dtypes, frozen. What the networks compute is compared with the reference elsewhere,
// against golden files; here a cached step must agree with the whole forward, and a config that
// cannot be computed be refused.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cmath>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "export/freeze.h"
#include "export/method.h"
#include "export/trace.h"
#include "test/check.h"

namespace {

using namespace karlo;  // NOLINT
using exporting::Tensors;
using nets::Config;
using testing::check;
namespace jit = torch::jit;
using Texts = std::vector<std::string>;
using Sizes = std::vector<int64_t>;

const int64_t kText = 48, kContext = 40, kTime = 96;

const Config kTextEncoder{{"hidden_size", kText},
                          {"intermediate_size", int64_t{96}},
                          {"projection_dim", kText},
                          {"num_hidden_layers", int64_t{2}},
                          {"num_attention_heads", int64_t{3}},
                          {"vocab_size", int64_t{50}},
                          {"eos_token_id", int64_t{49}}};
const Config kImageEncoder{{"hidden_size", int64_t{32}},        {"intermediate_size", int64_t{64}},
                           {"projection_dim", kText},           {"num_hidden_layers", int64_t{2}},
                           {"num_attention_heads", int64_t{4}}, {"image_size", int64_t{20}},
                           {"patch_size", int64_t{6}}};
const Config kPrior{{"num_attention_heads", int64_t{3}},
                    {"attention_head_dim", int64_t{10}},
                    {"num_layers", int64_t{3}},
                    {"embedding_dim", kText},
                    {"clip_embed_dim", std::monostate{}}};
const Config kTextProj{
    {"clip_embeddings_dim", kText}, {"time_embed_dim", kTime}, {"cross_attention_dim", kContext}};
const Config kDecoder{
    {"in_channels", int64_t{3}},
    {"out_channels", int64_t{6}},
    {"class_embed_type", "identity"},
    {"resnet_time_scale_shift", "scale_shift"},
    {"norm_num_groups", int64_t{4}},
    {"block_out_channels", Sizes{24, 36, 48}},
    {"layers_per_block", Sizes{1, 2, 1}},
    {"attention_head_dim", int64_t{12}},
    {"cross_attention_dim", kContext},
    {"mid_block_type", "UNetMidBlock2DSimpleCrossAttn"},
    {"down_block_types",
     Texts{"ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D", "SimpleCrossAttnDownBlock2D"}},
    {"up_block_types",
     Texts{"SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"}}};
const Config kSuperRes{
    {"in_channels", int64_t{6}},
    {"out_channels", int64_t{3}},
    {"add_attention", false},
    {"norm_num_groups", int64_t{5}},
    {"block_out_channels", Sizes{10, 20}},
    {"layers_per_block", int64_t{1}},
    {"down_block_types", Texts{"ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D"}},
    {"up_block_types", Texts{"ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"}}};

Tensors call(const jit::Module& module, const std::string& method, const Tensors& inputs) {
  const c10::IValue result = module.get_method(method)({inputs.begin(), inputs.end()});
  if (result.isTensor()) return {result.toTensor()};
  Tensors tensors;
  for (const c10::IValue& item : result.toTuple()->elements()) tensors.push_back(item.toTensor());
  return tensors;
}

// Rows of different lengths; the first token always counts.
at::Tensor mask(int64_t batch, int64_t tokens) {
  const at::Tensor lengths = at::randint(1, tokens + 1, {batch, 1});
  return at::ones({batch, tokens}).cumsum(1).le(lengths);
}

at::Tensor steps(int64_t batch) { return at::randint(0, 1000, {batch}); }

// One network: what its forward takes, and the same result by way of its other methods.
struct Case {
  std::string kind;
  Config config;
  std::function<Tensors(int64_t batch)> inputs;
  std::function<Tensors(const jit::Module&, const Tensors&)> otherwise;
};

Tensors prior_by_steps(const jit::Module& module, const Tensors& in) {
  const Tensors prompt = call(module, "prefill", {in[2], in[3], in[4]});
  const at::Tensor times = call(module, "times", {in[1]})[0];
  return {call(module, "step", {in[0], in[1], prompt[0], prompt[1]})[0],
          call(module, "step_at", {in[0], times, prompt[0], prompt[1]})[0]};
}

Tensors decoder_by_steps(const jit::Module& module, const Tensors& in) {
  const Tensors prompt = call(module, "condition", {in[2], in[3]});
  const at::Tensor times = call(module, "times", {in[1].narrow(0, 0, 1), in[4]})[0][0];
  return {call(module, "step", {in[0], in[1], in[4], prompt[0], prompt[1]})[0],
          call(module, "step_at", {in[0], times, prompt[0], prompt[1]})[0]};
}

Tensors super_res_by_steps(const jit::Module& module, const Tensors& in) {
  const at::Tensor x = in[0].narrow(1, 0, 3), low_res = in[0].narrow(1, 3, 3);
  return {call(module, "step", {x, low_res, in[1]})[0],
          call(module, "step_at", {x, low_res, call(module, "times", {in[1]})[0]})[0]};
}

Tensors no_other_way(const jit::Module&, const Tensors&) { return {}; }

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"text_encoder", kTextEncoder,
       [](int64_t batch) -> Tensors {
         const at::Tensor padding = mask(batch, 77).logical_not();
         return {at::randint(0, 49, {batch, 77}).masked_fill(padding, 49)};
       },
       no_other_way},
      {"image_encoder", kImageEncoder,
       [](int64_t batch) -> Tensors { return {at::randn({batch, 3, 20, 20})}; }, no_other_way},
      {"prior", kPrior,
       [](int64_t batch) -> Tensors {
         return {at::randn({batch, kText}), steps(batch), at::randn({batch, kText}),
                 at::randn({batch, 77, kText}), mask(batch, 77)};
       },
       prior_by_steps},
      {"text_proj", kTextProj,
       [](int64_t batch) -> Tensors {
         return {at::randn({batch, kText}), at::randn({batch, kText}),
                 at::randn({batch, 77, kText}), mask(batch, 77)};
       },
       no_other_way},
      {"decoder", kDecoder,
       [](int64_t batch) -> Tensors {
         // One time for all rows: `times` is for a schedule that the rows share.
         return {at::randn({batch, 3, 8, 8}), steps(1).expand({batch}),
                 at::randn({batch, 81, kContext}), mask(batch, 81), at::randn({batch, kTime})};
       },
       decoder_by_steps},
      {"super_res", kSuperRes,
       [](int64_t batch) -> Tensors { return {at::randn({batch, 6, 12, 12}), steps(batch)}; },
       super_res_by_steps}};
  return all;
}

// As after training: norms near one, everything else small enough for activations to stay in range.
void fill(jit::Module& module, const std::vector<nets::TensorSpec>& parameters,
          at::ScalarType dtype) {
  at::manual_seed(0);
  for (const nets::TensorSpec& spec : parameters) {
    const bool norm = spec.shape.size() == 1 && spec.name.find("norm") != std::string::npos;
    int64_t inputs = 1;
    for (size_t i = 1; i < spec.shape.size(); ++i) inputs *= spec.shape[i];
    at::Tensor value = at::randn(spec.shape) / std::sqrt(static_cast<double>(inputs));
    if (norm) value = value * 0.05 + (spec.name.find("bias") == std::string::npos ? 1 : 0);
    exporting::set_parameter(module, spec.name, spec.keep_float32 ? value : value.to(dtype));
  }
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

double similarity(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a.flatten().to(at::kDouble), b.flatten().to(at::kDouble), 0)
      .item<double>();
}

bool same(const Tensors& a, const Tensors& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].equal(b[i])) return false;
  }
  return a.size() == b.size();
}

jit::Module saved_and_loaded(const jit::Module& module) {
  std::stringstream stream;
  module.save(stream);
  return jit::load(stream);
}

jit::Module frozen(const jit::Module& module) {
  Texts methods;
  for (const jit::Method& method : module.get_methods()) methods.push_back(method.name());
  return exporting::freeze(module, methods);
}

void run(const Case& network) {
  const auto traced = exporting::trace_network(network.kind, network.config);
  check(exporting::largest_constant(traced.module) == 0, network.kind + ": no tensor constants");
  jit::Module fresh = traced.module;
  jit::Module loaded = saved_and_loaded(traced.module), half = saved_and_loaded(traced.module);
  fill(fresh, traced.parameters, at::kFloat);
  fill(loaded, traced.parameters, at::kFloat);
  fill(half, traced.parameters, at::kBFloat16);
  const jit::Module solid = frozen(loaded);

  for (const int64_t batch : {2, 1, 5}) {
    const std::string name = network.kind + " at batch " + std::to_string(batch) + ": ";
    const Tensors inputs = network.inputs(batch);
    const Tensors whole = call(fresh, "forward", inputs);
    for (const at::Tensor& part : network.otherwise(fresh, inputs)) {
      check(difference(part, whole[0]) <= 1e-5, name + "cached agrees with uncached");
    }
    check(same(call(loaded, "forward", inputs), whole), name + "loaded agrees exactly");
    check(same(call(solid, "forward", inputs), whole) &&
              same(network.otherwise(solid, inputs), network.otherwise(fresh, inputs)),
          name + "frozen agrees exactly");
    check(similarity(call(half, "forward", inputs)[0], whole[0]) >= 0.999,
          name + "bfloat16 is close");
    for (const at::Tensor& part : network.otherwise(half, inputs)) {
      check(part.scalar_type() == at::kFloat && similarity(part, whole[0]) >= 0.999,
            name + "bfloat16 is close when cached, and answers in the dtype of x");
    }
  }
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was refused";
}

void refuses(const std::string& kind, Config config, const std::string& key,
             const nets::ConfigValue& value, const std::string& message) {
  config[key] = value;
  const std::string actual = refusal([&] { exporting::trace_network(kind, config); });
  check(actual == message, "refused: " + actual);
}

void refusals() {
  refuses("decoder", kDecoder, "act_fn", "gelu",
          "Expected \"silu\" or \"swish\" for decoder.act_fn but received \"gelu\"");
  refuses("decoder", kDecoder, "class_embed_type", std::monostate{},
          "Expected \"identity\" for decoder.class_embed_type but received null");
  refuses("decoder", kDecoder, "block_out_channels", Sizes{24, 36, 42},
          "Expected a divisor of every item of block_out_channels for decoder.norm_num_groups but "
          "received 4");
  refuses("decoder", kDecoder, "up_block_types", Texts{"UpBlock2D", "UpBlock2D", "UpBlock2D"},
          "Expected \"ResnetUpsampleBlock2D\" or \"SimpleCrossAttnUpBlock2D\" for "
          "decoder.up_block_types but received [\"UpBlock2D\", \"UpBlock2D\", \"UpBlock2D\"]");
  refuses("decoder", kDecoder, "sample_size", int64_t{30},
          "Expected a multiple of 4 for decoder.sample_size but received 30");
  refuses("super_res", kSuperRes, "add_attention", true,
          "Expected false for super_res.add_attention but received true");
  refuses("prior", kPrior, "encoder_hid_proj_type", std::monostate{},
          "Expected \"linear\" for prior.encoder_hid_proj_type but received null");
  refuses("prior", kPrior, "num_layers", int64_t{1000000000},
          "Expected an integer from 1 to 256 for prior.num_layers but received 1000000000");
  refuses("text_encoder", kTextEncoder, "hidden_size", 1.5,
          "Expected an integer for text_encoder.hidden_size but received 1.5");
  Config incomplete = kTextProj;
  incomplete.erase("time_embed_dim");
  refuses("text_proj", incomplete, "_class_name", "UnCLIPTextProjModel",
          "Expected an integer from 1 to 1048576 for text_proj.time_embed_dim but received "
          "nothing");
  check(refusal([] { exporting::trace_network("vae", {}); }) ==
            "Expected the kind of a network but received \"vae\"",
        "refused: an unknown kind");
  jit::Module module = exporting::trace_network("text_proj", kTextProj).module;
  check(refusal([&] { exporting::set_parameter(module, "norm.scale", at::ones({1})); }) ==
            "Expected the name of a parameter but received norm.scale",
        "refused: an unknown parameter");
}

}  // namespace

int main() {
  at::NoGradGuard no_grad;
  for (const Case& network : cases()) run(network);
  refusals();
  return testing::failures() == 0 ? 0 : 1;
}
