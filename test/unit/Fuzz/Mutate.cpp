//===- Mutate.cpp - Damaged inputs -----------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Mutate.h.
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <map>
#include <set>

using namespace napkin::fuzz;

/// A number below `n`; 0 where there is none.
static size_t pick(Engine &engine, size_t n) { return n ? engine() % n : 0; }

std::vector<std::string> napkin::fuzz::readFolder(const std::string &folder) {
  std::vector<std::string> texts, paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    if (it->type() == llvm::sys::fs::file_type::regular_file)
      paths.push_back(it->path());
  std::sort(paths.begin(), paths.end());
  for (const std::string &path : paths)
    if (auto buffer = llvm::MemoryBuffer::getFile(path))
      texts.push_back((*buffer)->getBuffer().str());
  return texts;
}

/// Ends of the widths of PTX, JSON and the host, and what is next to them.
static const char *const numbers[] = {"0",
                                      "1",
                                      "-1",
                                      "2",
                                      "3",
                                      "16",
                                      "31",
                                      "32",
                                      "63",
                                      "64",
                                      "127",
                                      "128",
                                      "255",
                                      "256",
                                      "1024",
                                      "4096",
                                      "65535",
                                      "65536",
                                      "262144",
                                      "16777216",
                                      "2147483647",
                                      "-2147483648",
                                      "4294967295",
                                      "4294967296",
                                      "1099511627776",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "18446744073709551615",
                                      "99999999999999999999999",
                                      "0x7fffffffffffffff",
                                      "0f7FC00000",
                                      "0fFF800000",
                                      "0d7FF0000000000000",
                                      "1e309",
                                      "-0.0",
                                      "4.5",
                                      "07",
                                      "0x"};
static const char *const punctuation[] = {
    "{", "}", "[", "]", "(",  ")",  ";",  ",",  ":", "|",
    "!", "_", "+", "-", "\"", "/*", "//", "::", "@", "\xff"};

static bool isWord(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '%' || c == '$' || c == '.';
}

/// Where the token around `at` begins and ends.
static std::pair<size_t, size_t> tokenAt(llvm::StringRef text, size_t at) {
  if (!isWord(text[at]))
    return {at, at + 1};
  size_t begin = at, end = at + 1;
  // A dotted word is a token of its own.
  while (begin && isWord(text[begin - 1]) && text[begin] != '.')
    --begin;
  while (end < text.size() && isWord(text[end]) && text[end] != '.')
    ++end;
  return {begin, end};
}

static std::pair<size_t, size_t> lineAt(llvm::StringRef text, size_t at) {
  size_t begin = at ? text.rfind('\n', at - 1) : llvm::StringRef::npos,
         end = text.find('\n', at);
  return {begin == llvm::StringRef::npos ? 0 : begin + 1,
          end == llvm::StringRef::npos ? text.size() : end + 1};
}

std::vector<std::string>
napkin::fuzz::tokensOf(llvm::ArrayRef<std::string> texts) {
  std::set<std::string> found;
  for (const std::string &text : texts)
    for (size_t at = 0; at < text.size();) {
      auto [begin, end] = tokenAt(text, at);
      (void)begin;
      if (isWord(text[at]) && end - at < 48 && found.size() < 4000)
        found.insert(text.substr(at, end - at));
      at = end;
    }
  std::vector<std::string> tokens(found.begin(), found.end());
  for (const char *number : numbers)
    tokens.push_back(number);
  for (const char *mark : punctuation)
    tokens.push_back(mark);
  return tokens;
}

/// One edit of a token, a line or bytes.
static void edit(std::string &text, Engine &engine,
                 llvm::ArrayRef<std::string> dictionary,
                 llvm::ArrayRef<std::string> others) {
  size_t at = pick(engine, text.size());
  auto [begin, end] = tokenAt(text, at);
  auto [first, last] = lineAt(text, at);
  switch (pick(engine, 14)) {
  case 0: // another token of the same text
  case 1: {
    auto [b, e] = tokenAt(text, pick(engine, text.size()));
    text.replace(begin, end - begin, text.substr(b, e - b));
    break;
  }
  case 2:
  case 3:
    text.replace(begin, end - begin,
                 dictionary[pick(engine, dictionary.size())]);
    break;
  case 4:
    text.replace(begin, end - begin, numbers[pick(engine, std::size(numbers))]);
    break;
  case 5:
    text.insert(begin, dictionary[pick(engine, dictionary.size())]);
    break;
  case 6:
    text.erase(begin, end - begin);
    break;
  case 7:
    text.erase(first, last - first);
    break;
  case 8: {
    std::string line = text.substr(first, last - first);
    text.insert(lineAt(text, pick(engine, text.size())).first, line);
    break;
  }
  case 9: {
    const std::string &other = others[pick(engine, others.size())];
    if (other.empty())
      break;
    auto [b, e] = lineAt(other, pick(engine, other.size()));
    text.insert(first, other.substr(b, std::min<size_t>(e - b, 400)));
    break;
  }
  case 10:
    text.insert(at, punctuation[pick(engine, std::size(punctuation))]);
    break;
  case 11:
    text[at] = char(engine());
    break;
  case 12:
    text.erase(at, pick(engine, 40));
    break;
  default:
    // Truncation ends most inputs early: it is made rare.
    if (!pick(engine, 8))
      text.resize(at + 1);
    else
      text.insert(at, text.substr(first, std::min<size_t>(last - first, 200)));
  }
  if (text.empty())
    text = " ";
}

std::string napkin::fuzz::damage(std::string text, Engine &engine,
                                 llvm::ArrayRef<std::string> dictionary,
                                 llvm::ArrayRef<std::string> others) {
  if (text.empty())
    text = " ";
  for (size_t n = 1 + pick(engine, 4); n; --n)
    edit(text, engine, dictionary, others);
  return text;
}

/// Registers of the kernels made: a prefix and how many there are.
static constexpr struct {
  const char *prefix, *type;
  unsigned count;
} registers[] = {{"p", "pred", 8}, {"h", "b16", 16},  {"rd", "b64", 24},
                 {"r", "b32", 40}, {"fd", "f64", 12}, {"f", "f32", 40}};

/// `%rs12` becomes `%h12`, `%r99` `%r19`, ...
static std::string renamed(llvm::StringRef name) {
  llvm::StringRef body = name.drop_front();
  llvm::StringRef letters = body.take_while(llvm::isAlpha);
  llvm::StringRef digits = body.drop_front(letters.size());
  unsigned number;
  if (digits.getAsInteger(10, number))
    return name.str(); // %tid and others
  if (letters == "rs")
    letters = "h";
  for (const auto &r : registers)
    if (letters == r.prefix)
      return "%" + letters.str() + std::to_string(number % r.count);
  return "%r" + std::to_string(number % 40);
}

/// The names of an instruction become those that the kernels made declare:
/// registers, LOOP for labels and functions, `s` for variables.
static std::string withOwnNames(llvm::StringRef instruction) {
  llvm::StringRef opcode = instruction.take_until(llvm::isSpace);
  bool isJump = opcode.starts_with("bra") || opcode.starts_with("brx") ||
                opcode.starts_with("call");
  std::string result = opcode.str();
  for (size_t at = opcode.size(); at < instruction.size();) {
    char c = instruction[at];
    if (!isWord(c)) {
      result += c == '\n' ? ' ' : c;
      ++at;
      continue;
    }
    size_t end = at + 1;
    while (end < instruction.size() && isWord(instruction[end]))
      ++end;
    llvm::StringRef word = instruction.slice(at, end);
    if (c == '%' && !word.contains('.'))
      result += renamed(word);
    else if (c == '%' || llvm::isDigit(c) || word == "_" || word == "WARP_SZ")
      result += word.str();
    else
      result += isJump ? "LOOP" : "s";
    at = end;
  }
  return result;
}

/// What stands between two semicolons without comments, labels, braces and
/// guard.
static llvm::StringRef instructionOf(llvm::StringRef part) {
  while (true) {
    part = part.trim();
    llvm::StringRef word = part.take_while(isWord);
    if (part.starts_with("//"))
      part = part.drop_until([](char c) { return c == '\n'; });
    else if (part.starts_with("{") || part.starts_with("}"))
      part = part.drop_front();
    else if (!word.empty() && part.substr(word.size()).starts_with(":"))
      part = part.drop_front(word.size() + 1);
    else if (part.starts_with("@"))
      part = part.drop_until(llvm::isSpace);
    else
      return part;
  }
}

KernelMaker::KernelMaker(llvm::ArrayRef<std::string> texts) {
  std::map<std::string, std::set<std::string>> found;
  std::set<std::string> pieces;
  for (const std::string &text : texts) {
    llvm::SmallVector<llvm::StringRef, 0> parts;
    llvm::StringRef(text).split(parts, ';');
    for (llvm::StringRef part : parts) {
      part = instructionOf(part);
      if (part.empty() || !llvm::isAlpha(part[0]) || part.size() > 1200)
        continue;
      llvm::StringRef opcode = part.take_until(llvm::isSpace);
      found[opcode.str()].insert(withOwnNames(part));
      llvm::SmallVector<llvm::StringRef, 8> words;
      opcode.split(words, '.');
      for (llvm::StringRef word : llvm::ArrayRef(words).drop_front())
        pieces.insert("." + word.str());
    }
  }
  for (const auto &[opcode, list] : found)
    instructions.emplace_back(list.begin(), list.end());
  modifiers.assign(pieces.begin(), pieces.end());
  for (const char *operand : {"%p1",     "%h2",       "%r3",
                              "%rd4",    "%f5",       "%fd6",
                              "%tid.x",  "%laneid",   "s",
                              "g",       "l",         "[s]",
                              "[g]",     "[%rd0]",    "[%r1]",
                              "[%r1+4]", "{%r1,%r2}", "{%f1,%f2,%f3,%f4}",
                              "_",       "LOOP",      "END",
                              "!%p1",    "%p1|%p2"})
    operands.push_back(operand);
  for (const char *number : numbers)
    operands.push_back(number);
}

/// Replaces, drops or adds a modifier, or replaces an operand.
void KernelMaker::change(std::string &line, Engine &engine) const {
  auto [begin, end] = tokenAt(line, pick(engine, line.size()));
  bool isModifier = line[begin] == '.';
  // Other opcodes and punctuation end most kernels in the parser.
  if ((!begin || !isWord(line[begin])) && pick(engine, 12))
    return;
  switch (pick(engine, 8)) {
  case 0:
    if (isModifier)
      line.erase(begin, end - begin);
    break;
  case 1:
    if (isModifier)
      line.insert(begin, modifiers[pick(engine, modifiers.size())]);
    break;
  default: {
    const auto &words = isModifier ? modifiers : operands;
    line.replace(begin, end - begin, words[pick(engine, words.size())]);
  }
  }
}

std::string KernelMaker::make(Engine &engine) const {
  static const char *const targets[] = {"sm_80", "sm_90a"};
  std::string text = ".version 8.6\n.target ";
  text += targets[pick(engine, 2)];
  text += "\n.address_size 64\n.global .align 16 .b8 g[4096];\n"
          ".visible .entry k(.param .u64 p0, .param .u64 p1)\n{\n";
  for (const auto &r : registers)
    text += std::string(".reg .") + r.type + " %" + r.prefix + "<" +
            std::to_string(r.count) + ">;\n";
  text += ".shared .align 1024 .b8 s[8192];\n.local .align 16 .b8 l[64];\n"
          "ld.param.u64 %rd0, [p0];\nld.param.u64 %rd1, [p1];\n";
  // Addresses of every space, the lane, and extremes.
  static const char *const wide[] = {
      "%rd0", "%rd1", "s",  "g",           "l",
      "0",    "1",    "-1", "0x400040000", "0x4000004000010000"};
  for (unsigned r = 2; r < 24; ++r)
    text += "mov.b64 %rd" + std::to_string(r) + ", " +
            wide[pick(engine, std::size(wide))] + ";\n";
  static const char *const narrow[] = {
      "s",  "%tid.x", "%laneid", "0",  "1",   "-1",
      "16", "64",     "1024",    "31", "256", "0x80000000"};
  for (unsigned r = 0; r < 40; ++r)
    text += "mov.b32 %r" + std::to_string(r) + ", " +
            narrow[pick(engine, std::size(narrow))] + ";\n";
  static const char *const halves[] = {"0", "1", "-1", "0x3c00", "0x7c00"};
  for (unsigned r = 0; r < 16; ++r)
    text += "mov.b16 %h" + std::to_string(r) + ", " +
            halves[pick(engine, std::size(halves))] + ";\n";
  static const char *const singles[] = {"0f00000000", "0f3F800000",
                                        "0f7F800000", "0f7FC00000",
                                        "0fFF7FFFFF", "0f00000001"};
  for (unsigned r = 0; r < 40; ++r)
    text += "mov.f32 %f" + std::to_string(r) + ", " +
            singles[pick(engine, std::size(singles))] + ";\n";
  for (unsigned r = 0; r < 12; ++r)
    text += "cvt.f64.f32 %fd" + std::to_string(r) + ", %f" +
            std::to_string(r * 3) + ";\n";
  for (unsigned p = 0; p < 8; ++p)
    text += "setp.lt.u32 %p" + std::to_string(p) + ", %r" +
            std::to_string(p + 1) + ", %r" + std::to_string(p + 9) + ";\n";
  text += "mad.lo.u32 %r1, %tid.x, 16, s;\n"
          "mad.wide.u32 %rd0, %tid.x, 16, %rd0;\n"
          "st.shared.v4.b32 [%r1], {%r2,%r3,%r4,%r5};\nbar.sync 0;\nLOOP:\n";
  for (size_t n = 1 + pick(engine, 6); n; --n) {
    const auto &alike = instructions[pick(engine, instructions.size())];
    std::string line = alike[pick(engine, alike.size())];
    for (size_t changes = pick(engine, 5); changes > 2; --changes)
      change(line, engine);
    if (!pick(engine, 5))
      line = "@%p" + std::to_string(pick(engine, 8)) + " " + line;
    text += line + ";\n";
  }
  return text + "END:\nret;\n}\n";
}
