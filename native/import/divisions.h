#pragma once

namespace karlo::importing {

// Replaces LibTorch's integer divisions, which end the process with SIGFPE for a divisor of 0 or an
// overflow, by ones that throw. Once per process.
void check_divisions();

}  // namespace karlo::importing
