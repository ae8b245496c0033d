#include "export/trace.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "export/meta_kernels.h"
#include "export/method.h"
#include "nets/decoder.h"
#include "nets/image_encoder.h"
#include "nets/prior.h"
#include "nets/super_res.h"
#include "nets/text_encoder.h"
#include "nets/text_proj.h"

namespace karlo::exporting {
namespace {

using torch::jit::Module;
using Shape = std::vector<int64_t>;

// Records those methods that are wanted: all of them, where none is named.
class Recorder {
 public:
  Recorder(Module& module, const std::vector<std::string>& wanted)
      : module_(module), wanted_(wanted) {}

  void operator()(const std::string& name, const std::vector<Argument>& arguments,
                  const std::function<Tensors(const Tensors&)>& body) const {
    const bool all = wanted_.empty();
    if (all || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end()) {
      add_method(module_, name, arguments, body);
    }
  }

 private:
  Module& module_;
  const std::vector<std::string>& wanted_;
};

// Examples for a trace. Only their ranks and widths count; two is a batch like any other. Inputs
// are float32 and weights bfloat16, so that every cast between them is recorded (see
// nets::meta_tensor).
at::Tensor example(const Shape& shape, at::ScalarType dtype = at::kFloat) {
  return at::empty(shape, at::TensorOptions().dtype(dtype).device(at::kMeta));
}
at::Tensor cached(const Shape& shape) { return example(shape, at::kBFloat16); }
at::Tensor mask_of(int64_t tokens) { return example({2, tokens}, at::kBool); }
Argument t() { return {"t", example({2}, at::kLong)}; }

void add_text_encoder(const Recorder& record, const nets::Scope& scope,
                      const nets::ConfigReader& config) {
  const nets::ClipTextSizes sizes(config);
  const nets::ClipText net(scope, sizes);
  record("forward", {{"ids", example({2, sizes.tokens}, at::kLong)}},
         [&](const Tensors& in) -> Tensors {
           const auto features = net.forward(in[0]);
           return {features.text_embeds, features.last_hidden_state};
         });
}

void add_image_encoder(const Recorder& record, const nets::Scope& scope,
                       const nets::ConfigReader& config) {
  const nets::ClipVisionSizes sizes(config);
  const nets::ClipVision net(scope, sizes);
  record("forward", {{"pixel_values", example({2, sizes.channels, sizes.image, sizes.image})}},
         [&](const Tensors& in) -> Tensors { return {net.forward(in[0])}; });
}

void add_prior(const Recorder& record, const nets::Scope& scope, const nets::ConfigReader& config) {
  const nets::PriorSizes sizes(config);
  const nets::Prior net(scope, sizes);
  const Argument x{"x", example({2, sizes.embedding})};
  const Argument embeds{"text_embeds", example({2, sizes.text_embedding})};
  const Argument hidden{"text_hidden", example({2, sizes.text_tokens, sizes.embedding})};
  const Argument mask{"mask", mask_of(sizes.text_tokens)};
  const Argument cache{"cache", cached({2, 2 * sizes.layers, sizes.heads, sizes.constant_tokens(),
                                        sizes.width / sizes.heads})};
  const Argument bias{"bias", cached({2, 1, 3, sizes.tokens()})};

  record("forward", {x, t(), embeds, hidden, mask}, [&](const Tensors& in) -> Tensors {
    return {net.forward(in[0], in[1], in[2], in[3], in[4])};
  });
  record("prefill", {embeds, hidden, mask}, [&](const Tensors& in) -> Tensors {
    const auto prompt = net.prefill(in[0], in[1], in[2]);
    return {prompt.cache, prompt.bias};
  });
  record("step", {x, t(), cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step(in[0], in[1], {in[2], in[3]})}; });
  record("times", {t()}, [&](const Tensors& in) -> Tensors { return {net.times(in[0])}; });
  record("step_at", {x, {"time", example({2, sizes.width})}, cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], {in[2], in[3]})}; });
  record("finish", {{"x", example({2, sizes.predicted})}},
         [&](const Tensors& in) -> Tensors { return {net.finish(in[0])}; });
}

void add_text_proj(const Recorder& record, const nets::Scope& scope,
                   const nets::ConfigReader& config) {
  const nets::TextProjSizes sizes(config);
  const nets::TextProj net(scope, sizes);
  constexpr int64_t kTokens = 77;
  const Argument image{"image_embeds", example({2, sizes.embedding})};
  record("forward",
         {image,
          {"text_embeds", example({2, sizes.embedding})},
          {"text_hidden", example({2, kTokens, sizes.embedding})},
          {"mask", mask_of(kTokens)}},
         [&](const Tensors& in) -> Tensors {
           const auto condition = net.forward(in[0], in[1], in[2], in[3]);
           return {condition.class_labels, condition.context, condition.mask};
         });
  record("unconditional", {image},
         [&](const Tensors& in) -> Tensors { return {net.unconditional(in[0])}; });
}

// A picture that can be halved once a level.
Shape picture(const nets::UNetSizes& sizes, int64_t channels) {
  const int64_t side = int64_t{1} << sizes.levels.size();
  return {2, channels, side, side};
}

void add_decoder(const Recorder& record, const nets::Scope& scope,
                 const nets::ConfigReader& config) {
  const nets::UNetSizes sizes = nets::decoder_sizes(config);
  const nets::Decoder net(scope, sizes);
  constexpr int64_t kTokens = 81;
  const Argument x{"x", example(picture(sizes, sizes.in))};
  const Argument context{"context", example({2, kTokens, sizes.context})};
  const Argument mask{"context_mask", mask_of(kTokens)};
  const Argument labels{"class_labels", example({2, sizes.block.time_width})};
  const Argument cache{"cache", net.condition(context.example, mask.example).cache};
  const Argument bias{"bias", cached({2, 1, 1, kTokens})};
  const Argument times{"times", example(net.times(t().example, labels.example)[0].sizes().vec())};

  record("forward", {x, t(), context, mask, labels}, [&](const Tensors& in) -> Tensors {
    return {net.forward(in[0], in[1], in[2], in[3], in[4])};
  });
  record("condition", {context, mask}, [&](const Tensors& in) -> Tensors {
    const auto prompt = net.condition(in[0], in[1]);
    return {prompt.cache, prompt.bias};
  });
  record("step", {x, t(), labels, cache, bias}, [&](const Tensors& in) -> Tensors {
    return {net.step(in[0], in[1], in[2], {in[3], in[4]})};
  });
  record("times", {t(), labels},
         [&](const Tensors& in) -> Tensors { return {net.times(in[0], in[1])}; });
  record("step_at", {x, times, cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], {in[2], in[3]})}; });
}

void add_super_res(const Recorder& record, const nets::Scope& scope,
                   const nets::ConfigReader& config) {
  const nets::UNetSizes sizes = nets::super_res_sizes(config);
  const nets::SuperRes net(scope, sizes);
  const Argument x{"x", example(picture(sizes, sizes.out))};
  const Argument low_res{"low_res", example(picture(sizes, sizes.in - sizes.out))};
  const Argument times{"times", example(net.times(t().example).sizes().vec())};

  record("forward", {{"x", example(picture(sizes, sizes.in))}, t()},
         [&](const Tensors& in) -> Tensors { return {net.forward(in[0], in[1])}; });
  record("step", {x, low_res, t()},
         [&](const Tensors& in) -> Tensors { return {net.step(in[0], in[1], in[2])}; });
  record("times", {t()}, [&](const Tensors& in) -> Tensors { return {net.times(in[0])}; });
  record("step_at", {x, low_res, times},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], in[2])}; });
}

struct Kind {
  const char* name;
  void (*add)(const Recorder&, const nets::Scope&, const nets::ConfigReader&);
  std::vector<std::string> ignored;
};

const Kind& find(const std::string& name) {
  static const std::vector<Kind> kinds{
      {"text_encoder", add_text_encoder, {"text_model.embeddings.position_ids"}},
      {"image_encoder", add_image_encoder, {"vision_model.embeddings.position_ids"}},
      {"prior", add_prior, {}},
      {"text_proj", add_text_proj, {}},
      {"decoder", add_decoder, {}},
      {"super_res", add_super_res, {}}};
  for (const Kind& kind : kinds) {
    if (name == kind.name) return kind;
  }
  throw std::invalid_argument("Expected the kind of a network but received \"" + name + '"');
}

}  // namespace

TracedNetwork trace_network(const std::string& kind, const nets::Config& config,
                            const std::vector<std::string>& methods) {
  const Kind& known = find(kind);
  register_meta_kernels();
  Module module("__torch__.karlo." + kind);
  const nets::Scope scope(module);
  known.add(Recorder(module, methods), scope, nets::ConfigReader(kind, config));
  clear_parameters(module);
  if (largest_constant(module) > kLargestConstant) {
    throw std::logic_error("Expected no tensor constant over 1 KB in the graph of " + kind);
  }
  return {std::move(module), scope.declared(), known.ignored};
}

}  // namespace karlo::exporting
