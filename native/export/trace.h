#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

#include "nets/config.h"
#include "nets/scope.h"

namespace karlo::exporting {

struct TracedNetwork {
  torch::jit::Module module;                 // its parameters are empty: set_parameter fills them
  std::vector<nets::TensorSpec> parameters;  // what a checkpoint has to hold, by its names
  std::vector<std::string> ignored;          // what one may hold besides: buffers of older releases
};

// Records a network's methods, without weights and so at once at any size. `kind` is text_encoder,
// image_encoder, prior, text_proj, decoder or super_res; `config` is its Hugging Face config.json.
// Throws std::invalid_argument for any config that the networks here do not compute. `methods`
// names those that are wanted, which saves the time for the others; without any, all are recorded.
//
// In the methods' signatures B is the batch, E the width of a CLIP embedding and of the text's
// hidden states, T that of the decoder's time embedding, C that of its context, H a picture's side,
// S a number of time steps. t is int64 [B], [1] or a scalar; a mask is bool or int64, with 1 where
// a token counts. Floating-point inputs may have any dtype, and what a method computes from x has
// the dtype of x. A network's own dtype is that of the tensors it is given: module.to(dtype) would
// also convert those that stay float32. Caches have the batch first, and must have that of x.
//
// text_encoder
//   forward(ids int64 [B, 77]) -> (text_embeds [B, E], last_hidden_state [B, 77, E])
// image_encoder
//   forward(pixel_values [B, 3, H, H]) -> image_embeds [B, E]
// prior
//   forward(x [B, E], t, text_embeds [B, E], text_hidden [B, 77, E], mask [B, 77]) -> x0 [B, E]
//   prefill(text_embeds, text_hidden, mask) -> (cache [B, *, *, *, *], bias [B, 1, 3, 81])
//   step(x, t, cache, bias) -> x0
//   times(t [S]) -> [S, *]
//   step_at(x, time [1 or B, *], cache, bias) -> x0
//   finish(x) -> image_embeds [B, E] in float32
// text_proj
//   forward(image_embeds [B, E], text_embeds [B, E], text_hidden [B, 77, E], mask [B, 77])
//     -> (class_labels [B, T], context [B, 4 + 77, C], context_mask [B, 4 + 77])
//   unconditional(image_embeds [B, E]) -> the learned image embedding, [B, E]
// decoder
//   forward(x [B, 3, H, H], t, context, context_mask, class_labels) -> [B, 6, H, H]
//   condition(context, context_mask) -> (cache [B, 81, *], bias [B, 1, 1, 81])
//   step(x, t, class_labels, cache, bias) -> [B, 6, H, H]
//   times(t [S], class_labels) -> [S, B, *]
//   step_at(x, times [B, *], cache, bias) -> [B, 6, H, H]
// super_res
//   forward(x [B, 6, H, H], t) -> [B, 3, H, H]
//   step(x [B, 3, H, H], low_res [B, 3, H, H], t) -> [B, 3, H, H]
//   times(t [S]) -> [S, *]
//   step_at(x, low_res, times [1 or B, *]) -> [B, 3, H, H]
TracedNetwork trace_network(const std::string& kind, const nets::Config& config,
                            const std::vector<std::string>& methods = {});

}  // namespace karlo::exporting
