//===- Lexer.h - Tokens of PTX ---------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Splits PTX into identifiers, dotted words (".f32", ".shared::cta"), numbers,
// strings and punctuation. Comments vanish here.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PTX_LEXER_H
#define NAPKIN_LIB_PTX_LEXER_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace napkin::ptx {

struct Token {
  enum class Kind : uint8_t {
    End,
    Identifier,
    Dotted,
    Integer,
    Float,
    String,
    Punctuation,
    Error
  };
  Kind kind = Kind::End;
  /// The characters; for Dotted without the leading dot.
  llvm::StringRef text;
  /// Integer value, or the bits of a float.
  uint64_t value = 0;
  /// A float written as 0fXXXXXXXX.
  bool single = false;
  /// No white space between this token and the one before it.
  bool glued = false;
  uint32_t line = 1, column = 1;
  const char *begin = nullptr;

  bool is(char c) const {
    return kind == Kind::Punctuation && text.size() == 1 && text[0] == c;
  }
  bool isDotted(llvm::StringRef word) const {
    return kind == Kind::Dotted && text == word;
  }
};

class Lexer {
public:
  explicit Lexer(llvm::StringRef text);
  /// The next token; after the end, End for ever.
  Token next();
  /// The reason of the last Error token.
  const std::string &error() const { return message; }

private:
  bool skipBlank(Token &token);
  Token number(Token token);
  Token fail(Token token, std::string why);

  const char *at, *end, *lineStart;
  uint32_t line = 1;
  std::string message;
};

} // namespace napkin::ptx

#endif // NAPKIN_LIB_PTX_LEXER_H
