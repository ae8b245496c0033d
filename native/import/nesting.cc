#include "import/nesting.h"

#include <torch/csrc/jit/frontend/lexer.h>

#include <cctype>
#include <memory>
#include <stdexcept>
#include <vector>

namespace karlo::importing {
namespace {

namespace jit = torch::jit;

[[noreturn]] void throw_too_deep() {
  throw std::runtime_error("its source nests more than " + std::to_string(kMaxNesting) +
                           " levels deep");
}

// LibTorch's lexer skips lines without tokens by recursion, too.
void check_empty_lines(const std::string& source) {
  size_t empty_lines = 0;
  bool is_comment = false;
  for (const char c : source) {
    if (c == '\n') {
      is_comment = false;
      if (++empty_lines > kMaxNesting) throw_too_deep();
    } else if (c == '#') {
      is_comment = true;
    } else if (!is_comment && c != '\\' && std::isspace(static_cast<unsigned char>(c)) == 0) {
      empty_lines = 0;
    }
  }
}

// The levels at one token of a source.
class Levels {
 public:
  void add(int token) {
    switch (token) {
      case jit::TK_INDENT:
        blocks_.push_back(0);
        return grow(1);
      case jit::TK_DEDENT:
        return end_block();
      case jit::TK_DEF:
      case jit::TK_CLASS_DEF:
        return reset(blocks_.back());
      // The statements that follow these in a function become blocks within blocks.
      case jit::TK_ELIF:
      case jit::TK_RETURN:
      case jit::TK_BREAK:
      case jit::TK_CONTINUE:
        blocks_.back() += 1;
        return grow(1);
      case '(':
      case '[':
      case '{':
        brackets_.push_back(0);
        return grow(1);
      case ')':
      case ']':
      case '}':
        return end_bracket();
      case ',':
      case ':':
      case '=':
      case jit::TK_NEWLINE:
        return reset(brackets_.back());
      case jit::TK_IDENT:
      case jit::TK_NUMBER:
      case jit::TK_STRINGLITERAL:
        return;
      default:  // an operator, of which the rest of the expression may be an operand
        brackets_.back() += 1;
        return grow(1);
    }
  }

 private:
  void grow(size_t levels) {
    depth_ += levels;
    if (depth_ > kMaxNesting) throw_too_deep();
  }

  void reset(size_t& levels) {
    depth_ -= levels;
    levels = 0;
  }

  void end_block() {
    if (blocks_.size() == 1) return;
    const size_t inner = blocks_.back();
    blocks_.pop_back();
    blocks_.back() += inner;
    depth_ -= 1;
  }

  // What was in the brackets is an operand of what follows.
  void end_bracket() {
    if (brackets_.size() == 1) return;  // LibTorch's parser rejects it
    const size_t inner = brackets_.back();
    brackets_.pop_back();
    brackets_.back() += inner + 1;
  }

  std::vector<size_t> blocks_{0};    // for each block, the levels in it
  std::vector<size_t> brackets_{0};  // for each bracket, the levels of the expression in it
  size_t depth_ = 0;                 // the sum of both, and the number of blocks and open brackets
};

}  // namespace

void check_nesting(const std::string& source) {
  check_empty_lines(source);
  Levels levels;
  jit::Lexer lexer(std::make_shared<jit::Source>(source));
  for (int token = 0; token != jit::TK_EOF;) {
    token = lexer.next().kind;
    levels.add(token);
  }
}

}  // namespace karlo::importing
