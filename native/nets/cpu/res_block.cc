#include "nets/cpu/res_block.h"

namespace karlo::nets::cpu {

Modulations modulations_of(const ResBlockInput& in, int64_t batch, int64_t out) {
  Modulations modulations(batch, out);
  const auto part = [&](int64_t i) {
    return each(in.times.narrow(1, in.time_start + i * out, out), batch, out);
  };
  if (in.scale_shift) {
    modulations.scale = part(0);
    modulations.shift = part(1);
  } else {
    modulations.offset = part(0);
  }
  return modulations;
}

}  // namespace karlo::nets::cpu
