#pragma once

#include "ops/attention/cpu_attention.h"

namespace karlo::nets::cpu {

// Whether wide_attention() is for these: bfloat16, where the processor is fast at it.
bool suits_wide_attention(const AttentionInput& input);

// karlo::context_attention of any width as products of bfloat16 by pairs; logits and softmax are
// float32. Some queries at a time against all keys, whose logits stay in a core's cache.
at::Tensor wide_attention(const AttentionInput& input);

}  // namespace karlo::nets::cpu
