#include "ops/register.h"

#include "ops/attention/attention.h"
#include "ops/ddpm_step/ddpm_step.h"
#include "ops/group_norm/group_norm.h"
#include "ops/linear/linear.h"
#include "ops/res_block/res_block.h"
#include "ops/transformer/transformer.h"

namespace karlo::ops {

void register_operators() {
  register_context_attention();
  register_ddpm_step();
  register_group_norm();
  register_linear();
  register_res_block();
  register_transformer_block();
}

}  // namespace karlo::ops
