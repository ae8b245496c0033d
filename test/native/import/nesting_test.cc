#include "import/nesting.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

namespace karlo::testing {
namespace {

using importing::check_nesting;
using importing::kMaxNesting;

std::string repeat(const std::string& text, size_t times) {
  std::string repeated;
  for (size_t i = 0; i < times; ++i) repeated += text;
  return repeated;
}

std::string method(const std::string& body) {
  return "class Graph(Module):\n  def forward(self, x: int) -> int:\n" + body;
}

std::string returning(const std::string& expression) {
  return method("    return " + expression + "\n");
}

std::string nested_blocks(size_t count) {
  std::string body;
  for (size_t i = 0; i < count; ++i) body += repeat(" ", 4 + i) + "if True:\n";
  return method(body + repeat(" ", 4 + count) + "pass\n");
}

TEST_CASE("a source may nest a few levels, in any number of lines, methods and classes") {
  const std::string lines = repeat("    y = torch.add(torch.mul(x, [1, 2]), -x).size()[0]\n", 1000);
  const std::string many_arguments = "f(" + repeat("(x + 1)[0], ", 1000) + "x)";
  const std::string source = method(lines) + returning(many_arguments) + nested_blocks(20);
  CHECK_NOTHROW(check_nesting(repeat(source, 200)));
}

TEST_CASE("a source that nests too deeply is rejected") {
  const auto levels = GENERATE(size_t{kMaxNesting + 1}, size_t{100'000});
  const std::string source = GENERATE_COPY(
      returning(repeat("(", levels) + "x" + repeat(")", levels)), returning(repeat("[", levels)),
      returning(repeat("f(x, ", levels)), returning("x" + repeat("(x)", levels)),
      returning(repeat("(x).", levels) + "x"), returning(repeat("-", levels) + "x"),
      returning(repeat("not ", levels) + "x"), returning(repeat("not \\\n", levels) + "x"),
      returning("x" + repeat(" + x", levels)), returning("x" + repeat(".x", levels)),
      returning("x" + repeat(" ** x", levels)), returning(repeat("x if x else ", levels) + "x"),
      returning("(x" + repeat("\n + x", levels) + ")"), repeat("\n", levels),
      repeat("# comment\n", levels), method(repeat("    if x:\n      return x\n", levels)),
      method("    if x:\n      pass\n" + repeat("    elif x:\n      pass\n", levels)));
  CHECK_THROWS_WITH(check_nesting(source), "its source nests more than 100 levels deep");
}

TEST_CASE("blocks that nest too deeply are rejected") {
  CHECK_THROWS_WITH(check_nesting(nested_blocks(kMaxNesting)),
                    "its source nests more than 100 levels deep");
}

TEST_CASE("levels in brackets count for what follows them") {
  const std::string inner = "(" + repeat("-", kMaxNesting / 2) + "x)";
  CHECK_NOTHROW(check_nesting(returning(inner)));
  CHECK_NOTHROW(check_nesting(returning("f(" + inner + ", " + inner + ")")));
  CHECK_THROWS(check_nesting(returning(inner + repeat(".x", kMaxNesting / 2))));
}

TEST_CASE("brackets in texts and comments do not count, and unbalanced ones are no crash") {
  CHECK_NOTHROW(check_nesting(returning("'" + repeat("(", 1000) + "'")));
  CHECK_NOTHROW(check_nesting(returning("x  # " + repeat("(", 1000))));
  CHECK_NOTHROW(check_nesting(")]}\n"));
  CHECK_THROWS(check_nesting("$"));
}

}  // namespace
}  // namespace karlo::testing
