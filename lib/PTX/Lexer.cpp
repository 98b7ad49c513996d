//===- Lexer.cpp - Tokens of PTX -------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Lexer.h. Never reads past the end of the text, whatever it holds.
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"

#include "llvm/ADT/StringExtras.h"

#include <cstdlib>
#include <cstring>

using namespace napkin::ptx;

namespace {
bool isStart(char c) {
  return llvm::isAlpha(c) || c == '_' || c == '$' || c == '%';
}
bool isFollow(char c) { return llvm::isAlnum(c) || c == '_' || c == '$'; }
} // namespace

Lexer::Lexer(llvm::StringRef text)
    : at(text.begin()), end(text.end()), lineStart(text.begin()) {}

Token Lexer::fail(Token token, std::string why) {
  token.kind = Token::Kind::Error;
  message = std::move(why);
  at = end;
  return token;
}

/// Skips white space and comments; false on a comment that never ends.
bool Lexer::skipBlank(Token &token) {
  while (at != end) {
    char c = *at;
    if (c == '\n') {
      ++line;
      lineStart = ++at;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at;
    } else if (c == '/' && end - at > 1 && at[1] == '/') {
      while (at != end && *at != '\n')
        ++at;
    } else if (c == '/' && end - at > 1 && at[1] == '*') {
      token.line = line;
      token.column = at - lineStart + 1;
      at += 2;
      while (end - at > 1 && !(at[0] == '*' && at[1] == '/')) {
        if (*at == '\n') {
          ++line;
          lineStart = at + 1;
        }
        ++at;
      }
      if (end - at < 2)
        return false;
      at += 2;
    } else {
      return true;
    }
  }
  return true;
}

Token Lexer::number(Token token) {
  const char *begin = at;
  token.kind = Token::Kind::Integer;
  auto digits = [&](unsigned count, uint64_t &value) {
    value = 0;
    if (static_cast<unsigned>(end - at) < count)
      return false;
    for (unsigned i = 0; i < count; ++i, ++at) {
      if (!llvm::isHexDigit(*at))
        return false;
      value = value * 16 + llvm::hexDigitValue(*at);
    }
    return true;
  };
  if (*at == '0' && end - at > 1) {
    char kind = at[1];
    if (kind == 'f' || kind == 'F' || kind == 'd' || kind == 'D') {
      at += 2;
      token.kind = Token::Kind::Float;
      token.single = kind == 'f' || kind == 'F';
      if (!digits(token.single ? 8 : 16, token.value))
        return fail(token, token.single ? "0f needs 8 hexadecimal digits"
                                        : "0d needs 16 hexadecimal digits");
      token.text = {begin, static_cast<size_t>(at - begin)};
      return token;
    }
  }
  const char *scan = at;
  bool isReal = false,
       isHex = end - at > 1 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
  if (!isHex) {
    while (scan != end && (llvm::isDigit(*scan) || *scan == '.' ||
                           ((*scan == 'e' || *scan == 'E')) ||
                           ((*scan == '+' || *scan == '-') && isReal &&
                            (scan[-1] == 'e' || scan[-1] == 'E')))) {
      isReal |= *scan == '.' || *scan == 'e' || *scan == 'E';
      ++scan;
    }
  }
  if (isReal) {
    std::string text(at, scan);
    char *stop = nullptr;
    double value = std::strtod(text.c_str(), &stop);
    if (*stop)
      return fail(token, "malformed number '" + text + "'");
    std::memcpy(&token.value, &value, 8);
    token.kind = Token::Kind::Float;
    at = scan;
    token.text = {begin, static_cast<size_t>(at - begin)};
    return token;
  }
  while (at != end && llvm::isAlnum(*at))
    ++at;
  token.text = {begin, static_cast<size_t>(at - begin)};
  llvm::StringRef body = token.text;
  body.consume_back("U");
  bool octal = body.size() > 1 && body[0] == '0' && llvm::isDigit(body[1]);
  if (body.getAsInteger(octal ? 8 : 0, token.value))
    return fail(token, "malformed number '" + token.text.str() + "'");
  return token;
}

Token Lexer::next() {
  Token token;
  const char *before = at;
  token.begin = end; // of a comment that never ends
  bool complete = skipBlank(token);
  if (!complete)
    return fail(token, "comment without end");
  token.glued = before == at;
  token.line = line;
  token.column = at - lineStart + 1;
  token.begin = at;
  if (at == end)
    return token;
  const char *begin = at;
  char c = *at;
  if (llvm::isDigit(c))
    return number(token);
  if (isStart(c)) {
    ++at;
    while (at != end && isFollow(*at))
      ++at;
    token.kind = Token::Kind::Identifier;
    token.text = {begin, static_cast<size_t>(at - begin)};
    return token;
  }
  if (c == '.' && end - at > 1 && (llvm::isAlnum(at[1]) || at[1] == '_')) {
    ++at;
    while (at != end &&
           (isFollow(*at) || (*at == ':' && end - at > 2 && at[1] == ':' &&
                              llvm::isAlnum(at[2])))) {
      at += *at == ':' ? 2 : 1;
    }
    token.kind = Token::Kind::Dotted;
    token.text = {begin + 1, static_cast<size_t>(at - begin - 1)};
    return token;
  }
  if (c == '"') {
    ++at;
    while (at != end && *at != '"' && *at != '\n')
      ++at;
    if (at == end || *at != '"')
      return fail(token, "string without end");
    ++at;
    token.kind = Token::Kind::String;
    token.text = {begin + 1, static_cast<size_t>(at - begin - 2)};
    return token;
  }
  if (std::strchr("{}()[];,:|!@+-*/=<>&^~?", c) && c) {
    ++at;
    token.kind = Token::Kind::Punctuation;
    token.text = {begin, 1};
    return token;
  }
  return fail(token, "unexpected character");
}
