// Writes the TorchScript modules that the tests run: `make_fixtures FOLDER`.
#include <ATen/Functions.h>
#include <torch/script.h>

#include <iostream>
#include <string>

namespace {

using torch::jit::Module;

// Small arithmetic with every shape of input and output that the addon translates.
Module MakeArithmetic() {
  Module module("Arithmetic");
  module.register_parameter("weight", at::full({3}, 2.0), /*is_buffer=*/false);
  Module inner("Inner");
  inner.register_buffer("bias", at::ones({3}));
  inner.register_buffer("index", at::arange(3));
  module.register_module("inner", inner);
  module.define(R"(
    def forward(self, x):
        return x * self.weight + self.inner.bias
    def empty(self):
        return None
    def pair(self, x, y):
        return x + y, x - y
    def total(self, xs: List[Tensor]):
        sum = xs[0]
        for i in range(1, len(xs)):
            sum = sum + xs[i]
        return sum
    def swap(self, pair: Tuple[Tensor, Tensor]):
        return [pair[1], pair[0]]
    def maybe(self, x: Optional[Tensor]):
        return self.weight if x is None else x
    def number(self, x: int):
        return x
    def fail(self, x):
        return x.reshape([-1, 7])
    def spin(self, x, steps):
        for i in range(int(steps.item())):
            x = torch.tanh(torch.matmul(x, x))
        return x
  )");
  return module;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: make_fixtures FOLDER\n";
    return 2;
  }
  MakeArithmetic().save(std::string(arguments[1]) + "/arithmetic.pt");
  return 0;
}
