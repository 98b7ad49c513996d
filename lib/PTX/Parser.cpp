//===- Parser.cpp - Module level of PTX ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Directives, variables and function headers. Bodies are in ParserBody.cpp.
//
//===----------------------------------------------------------------------===//

#include "napkin/PTX/Parser.h"
#include "ParserImplementation.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::ptx;
using Kind = Token::Kind;

ParserImplementation::ParserImplementation(Module &module)
    : module(module), lexer(*module.text) {
  ahead = lexer.next();
  advance();
}

void ParserImplementation::advance() {
  token = ahead;
  if (token.kind != Kind::Error)
    ahead = lexer.next();
}

bool ParserImplementation::fail(const Token &at, const std::string &what) {
  if (!error.empty())
    return false;
  std::string reason = at.kind == Kind::Error ? lexer.error() : what;
  error = fmt::format("{}:{}:{}: error: {}", module.file, at.line, at.column,
                      reason);
  return false;
}

bool ParserImplementation::accept(char c) {
  if (!token.is(c))
    return false;
  advance();
  return true;
}

static std::string shown(const Token &token) {
  if (token.kind == Kind::End)
    return "the end of the text";
  return fmt::format("'{}{}'", token.kind == Kind::Dotted ? "." : "",
                     token.text.take_front(40).str());
}

bool ParserImplementation::expect(char c, const char *where) {
  if (accept(c))
    return true;
  return fail(
      token, fmt::format("expected '{}' {}, found {}", c, where, shown(token)));
}

bool ParserImplementation::integer(int64_t &value, const char *what) {
  bool negative = accept('-');
  if (token.kind != Kind::Integer)
    return fail(token, fmt::format("expected {} (an integer), found {}", what,
                                   shown(token)));
  value = negative ? -token.value : token.value;
  advance();
  return true;
}

bool ParserImplementation::unsignedInteger(uint64_t &value, uint64_t limit,
                                           const char *what) {
  Token at = token;
  if (token.kind != Kind::Integer)
    return fail(token, fmt::format("expected {} (an integer), found {}", what,
                                   shown(token)));
  value = token.value;
  if (value > limit)
    return fail(at,
                fmt::format("{} is {}, the limit is {}", what, value, limit));
  advance();
  return true;
}

bool ParserImplementation::parseModule() {
  while (token.kind != Kind::End)
    if (!directive())
      return false;
  if (module.version.empty())
    return fail(token, "no .version directive: is this PTX?");
  return true;
}

/// Sections hold debugging information. Of .debug_str the strings are kept,
/// which are the names of inlined functions; everything else is passed over.
bool ParserImplementation::section() {
  bool isStrings = token.isDotted("debug_str");
  while (token.kind != Kind::End && token.kind != Kind::Error && !token.is('{'))
    advance();
  if (!expect('{', "after .section"))
    return false;
  for (unsigned depth = 1; depth;) {
    if (token.kind == Kind::End || token.kind == Kind::Error)
      return fail(token, "section without closing '}'");
    depth += token.is('{');
    depth -= token.is('}');
    if (isStrings && token.kind == Kind::Identifier && ahead.is(':'))
      module.debugLabels[token.text] = module.debugStrings.size();
    if (isStrings && token.kind == Kind::Integer)
      module.debugStrings.push_back(char(token.value));
    advance();
  }
  return true;
}

bool ParserImplementation::sourceFile() {
  uint64_t index;
  if (!unsignedInteger(index, UINT32_MAX - 2, "the index of .file"))
    return false;
  if (token.kind != Kind::String)
    return fail(token, "expected the name of .file in quotes");
  module.sourceFiles[index] = token.text.str();
  advance();
  while (accept(',')) {
    uint64_t ignored;
    if (!unsignedInteger(ignored, UINT64_MAX, "a time stamp or a size"))
      return false;
  }
  return true;
}

/// `inlined_at file line column` of the `.loc` that is being read. nvcc and
/// LLVM give the place of the call a `.loc` of its own before, which says where
/// the caller was inlined.
bool ParserImplementation::inlineSite(llvm::StringRef label, uint64_t offset) {
  std::array<uint32_t, 3> at;
  for (uint32_t &part : at) {
    uint64_t value;
    if (!unsignedInteger(value, UINT32_MAX, "a position"))
      return false;
    part = value;
  }
  auto outer = locations.find(at);
  uint32_t inlinedAt = outer == locations.end() ? 0 : outer->second;
  auto [site, isNew] = sites.try_emplace({at[0], at[1], at[2], inlinedAt}, 0);
  if (isNew) {
    module.inlineSites.push_back(
        {at[0], at[1], at[2], label, offset, inlinedAt});
    site->second = module.inlineSites.size();
  }
  position.inlinedAt = site->second;
  return true;
}

bool ParserImplementation::location() {
  uint64_t file, line, column;
  if (!unsignedInteger(file, UINT32_MAX, "the file of .loc") ||
      !unsignedInteger(line, UINT32_MAX, "the line of .loc") ||
      !unsignedInteger(column, UINT32_MAX, "the column of .loc"))
    return false;
  position.sourceFile = file;
  position.sourceLine = line;
  position.sourceColumn = column;
  position.inlinedAt = 0;
  llvm::StringRef label;
  uint64_t offset = 0;
  while (accept(',')) {
    if (token.kind != Kind::Identifier)
      return fail(token, "expected function_name or inlined_at");
    bool isName = token.text == "function_name";
    advance();
    if (!isName) {
      if (!inlineSite(label, offset))
        return false;
      continue;
    }
    label = token.text;
    advance();
    if (accept('+') &&
        !unsignedInteger(offset, UINT32_MAX, "the name's offset"))
      return false;
  }
  // The last one counts: the same call may be inlined in several places.
  locations[{uint32_t(file), uint32_t(line), uint32_t(column)}] =
      position.inlinedAt;
  return true;
}

bool ParserImplementation::directive() {
  if (token.kind != Kind::Dotted)
    return fail(token, "expected a directive, found " + shown(token));
  Token first = token;
  bool isExtern = false;
  while (token.isDotted("visible") || token.isDotted("extern") ||
         token.isDotted("weak") || token.isDotted("common")) {
    isExtern |= token.isDotted("extern");
    advance();
  }
  llvm::StringRef word = token.kind == Kind::Dotted ? token.text : "";
  advance();
  if (word == "version") {
    // "9.4" is lexed as a real number.
    module.version = token.text.str();
    advance();
    return true;
  }
  if (word == "target") {
    module.target = token.text.str();
    advance();
    while (accept(','))
      advance();
    return true;
  }
  if (word == "address_size") {
    uint64_t bits;
    if (!unsignedInteger(bits, 64, "the address size"))
      return false;
    if (bits != 64)
      return fail(first, "only 64-bit addresses are supported");
    return true;
  }
  if (word == "file")
    return sourceFile();
  if (word == "loc")
    return location();
  if (word == "section")
    return section();
  if (word == "pragma") {
    while (token.kind != Kind::End && !token.is(';'))
      advance();
    return expect(';', "after .pragma");
  }
  if (word == "global")
    return variableList(Space::Global, isExtern);
  if (word == "const")
    return variableList(Space::Const, isExtern);
  if (word == "shared")
    return variableList(Space::Shared, isExtern);
  if (word == "entry" || word == "func")
    return function(word == "entry");
  if (word == "alias")
    return alias();
  return fail(first,
              fmt::format("directive '.{}' is not supported", word.str()));
}

/// `.align 16 .b8 name[128]`, the space being read already.
bool ParserImplementation::variable(Variable &result, Space space,
                                    bool isParameter) {
  result.space = space;
  uint64_t align = 0, vector = 1;
  while (token.kind == Kind::Dotted) {
    llvm::StringRef word = token.text;
    Token at = token;
    if (word == "align") {
      advance();
      if (!unsignedInteger(align, 1 << 20, "the alignment"))
        return false;
      if (!align || (align & (align - 1)))
        return fail(at, "an alignment is a power of two");
      if (result.isPointer)
        align = 0; // of what it points to
    } else if (word == "attribute") {
      advance();
      if (!expect('(', "after .attribute"))
        return false;
      while (token.kind != Kind::End && !token.is(')'))
        advance();
      if (!expect(')', "after an attribute"))
        return false;
    } else if (word == "v2" || word == "v4" || word == "v8") {
      vector = word[1] - '0';
      advance();
    } else if (word == "ptr" && isParameter) {
      result.isPointer = true;
      advance();
    } else if (result.isPointer && (word == "global" || word == "shared" ||
                                    word == "local" || word == "const")) {
      advance();
    } else if (Type type = typeFromName(word); type != Type::None) {
      result.type = type;
      advance();
    } else {
      return fail(token, fmt::format("'.{}' is not expected in a variable",
                                     word.str()));
    }
  }
  if (result.type == Type::None)
    return fail(token, "a variable needs a type");
  if (token.kind != Kind::Identifier)
    return fail(token, "expected the variable's name, found " + shown(token));
  result.name = token.text;
  result.position = position;
  result.position.line = token.line;
  result.alignment =
      align ? align : std::max<uint64_t>(1, typeBits(result.type) / 8 * vector);
  result.elements = vector;
  advance();
  while (accept('[')) {
    if (accept(']')) {
      result.elements = 0;
      continue;
    }
    uint64_t count;
    Token at = token;
    if (!unsignedInteger(count, uint64_t(1) << 40, "the number of elements") ||
        !expect(']', "after the number of elements"))
      return false;
    if (count && result.elements > (uint64_t(1) << 40) / count)
      return fail(at, "the variable is too big");
    result.elements *= count;
  }
  return true;
}

bool ParserImplementation::variableList(Space space, bool isExtern) {
  Variable result;
  if (!variable(result, space, false))
    return false;
  result.isExtern = isExtern;
  while (true) {
    if (!moduleNames.try_emplace(result.name, 0).second && !isExtern)
      return fail(token,
                  fmt::format("'{}' is declared twice", result.name.str()));
    if (token.is('=') && !initializer(result))
      return false;
    Variable next = result;
    module.variables.push_back(std::move(result));
    if (!accept(','))
      break;
    // A list shares the type: `.global .b32 a, b;`
    if (token.kind != Kind::Identifier)
      return fail(token, "expected a variable's name");
    result = std::move(next);
    result.initializer.clear();
    result.relocations.clear();
    result.elements = 1;
    result.name = token.text;
    advance();
    while (accept('[')) {
      uint64_t count;
      if (!unsignedInteger(count, uint64_t(1) << 32,
                           "the number of elements") ||
          !expect(']', "after the number of elements"))
        return false;
      result.elements = std::min(result.elements * count, uint64_t(1) << 41);
    }
  }
  return expect(';', "after a variable");
}

bool ParserImplementation::initializer(Variable &result) {
  advance();
  Token at = token;
  bool ok =
      token.is('{') ? initializerValues(result, 0) : initializerValue(result);
  if (!ok)
    return false;
  if (!result.elements)
    result.elements =
        result.initializer.size() / std::max(1u, typeBits(result.type) / 8);
  if (result.initializer.size() > result.bytes())
    return fail(at, fmt::format("the initialiser has {} bytes, the variable {}",
                                result.initializer.size(), result.bytes()));
  return true;
}

bool ParserImplementation::initializerValues(Variable &result, unsigned depth) {
  if (depth > 8)
    return fail(token, "the initialiser is nested too deeply");
  if (!expect('{', "before the initialiser"))
    return false;
  while (!token.is('}')) {
    if (!(token.is('{') ? initializerValues(result, depth + 1)
                        : initializerValue(result)))
      return false;
    if (!accept(','))
      break;
  }
  return expect('}', "after the initialiser");
}

bool ParserImplementation::initializerValue(Variable &result) {
  unsigned size = std::max(1u, typeBits(result.type) / 8);
  uint64_t bits = 0;
  if (token.kind == Kind::Identifier) {
    Relocation relocation;
    relocation.offset = result.initializer.size();
    if (token.text == "generic" && ahead.is('(')) {
      relocation.generic = true;
      advance();
      advance();
    }
    relocation.symbol = token.text;
    advance();
    if (relocation.generic && !expect(')', "after generic(..."))
      return false;
    if (token.is('+') || token.is('-')) {
      bool negative = token.is('-');
      advance();
      if (!integer(relocation.addend, "the addend"))
        return false;
      if (negative)
        relocation.addend = -uint64_t(relocation.addend);
    }
    if (size != 8)
      return fail(token, "an address needs 8 bytes");
    result.relocations.push_back(relocation);
  } else {
    bool negative = accept('-');
    if (token.kind == Kind::Integer) {
      bits = negative ? -token.value : token.value;
    } else if (token.kind == Kind::Float) {
      bits = token.value;
      double value;
      if (!token.single && result.type == Type::F32) {
        std::memcpy(&value, &bits, 8);
        float narrow = negative ? -value : value;
        bits = 0;
        std::memcpy(&bits, &narrow, 4);
      } else if (negative) {
        bits ^= token.single ? 0x80000000u : uint64_t(1) << 63;
      }
    } else {
      return fail(token,
                  "expected a value in the initialiser, found " + shown(token));
    }
    advance();
  }
  if (result.initializer.size() + size > (1u << 28))
    return fail(token, "the initialiser is too long");
  for (unsigned i = 0; i < size; ++i)
    result.initializer.push_back(i < 8 ? bits >> (8 * i) : 0);
  return true;
}

bool ParserImplementation::parameterList(std::vector<Variable> &list) {
  if (!expect('(', "before the parameters"))
    return false;
  while (!token.is(')')) {
    bool isRegister = token.isDotted("reg");
    if (!token.isDotted("param") && !isRegister)
      return fail(token, "expected .param, found " + shown(token));
    advance();
    Variable parameter;
    if (!variable(parameter, isRegister ? Space::Register : Space::Param, true))
      return false;
    list.push_back(std::move(parameter));
    if (!accept(','))
      break;
  }
  return expect(')', "after the parameters");
}

bool ParserImplementation::triple(std::array<uint32_t, 3> &values) {
  values = {1, 1, 1};
  for (int i = 0; i < 3; ++i) {
    uint64_t value;
    if (!unsignedInteger(value, 1u << 31, "a size"))
      return false;
    values[i] = value;
    if (!accept(','))
      break;
  }
  return true;
}

bool ParserImplementation::performanceDirective(Function &function,
                                                bool &known) {
  known = token.kind == Kind::Dotted;
  if (!known)
    return true;
  llvm::StringRef word = token.text;
  uint64_t value = 0;
  Token at = token;
  advance();
  if (word == "maxntid")
    return triple(function.maxThreads);
  if (word == "reqntid")
    return triple(function.requiredThreads);
  if (word == "reqnctapercluster")
    return triple(function.requiredCluster);
  if (word == "maxnreg" || word == "minnctapersm" || word == "maxnctapersm" ||
      word == "maxclusterrank") {
    if (!unsignedInteger(value, UINT32_MAX, "the limit"))
      return false;
    if (word == "maxnreg")
      function.maxRegisters = value;
    if (word == "minnctapersm")
      function.minBlocksPerProcessor = value;
    if (word == "maxclusterrank")
      function.maxClusterRank = value;
    return true;
  }
  if (word == "explicitcluster" || word == "noreturn")
    return true;
  if (word == "blocksareclusters")
    return fail(at, ".blocksareclusters, grids that count clusters, is not "
                    "supported");
  if (word == "pragma") {
    while (token.kind != Kind::End && !token.is(';'))
      advance();
    return expect(';', "after .pragma");
  }
  if (word == "attribute") {
    while (token.kind != Kind::End && !token.is(')'))
      advance();
    return expect(')', "after .attribute(");
  }
  return fail(at, fmt::format("'.{}' is not expected here", word.str()));
}

/// `.alias name, function;`: one more name of a function.
bool ParserImplementation::alias() {
  Token name = token;
  advance();
  if (name.kind != Kind::Identifier || !accept(',') ||
      token.kind != Kind::Identifier)
    return fail(name, ".alias needs two names");
  module.aliases[name.text] = token.text;
  moduleNames.try_emplace(name.text, 0);
  advance();
  return expect(';', "after .alias");
}

bool ParserImplementation::function(bool isEntry) {
  Function result;
  result.isEntry = isEntry;
  result.position = position;
  if (token.isDotted("attribute")) {
    bool known;
    if (!performanceDirective(result, known))
      return false;
  }
  if (token.is('(') && !parameterList(result.results))
    return false;
  if (token.kind != Kind::Identifier)
    return fail(token, "expected the function's name, found " + shown(token));
  result.name = token.text;
  result.position.line = token.line;
  Token nameToken = token;
  advance();
  if (token.is('(') && !parameterList(result.parameters))
    return false;
  bool known = true;
  while (known)
    if (!performanceDirective(result, known))
      return false;
  moduleNames.try_emplace(result.name, 0);
  if (accept(';')) {
    module.functionIndices.try_emplace(result.name, module.functions.size());
    module.functions.push_back(std::move(result));
    return true;
  }
  const Function *earlier = module.findFunction(result.name);
  if (earlier && earlier->isDefined)
    return fail(nameToken, fmt::format("function '{}' is defined twice",
                                       result.name.str()));
  result.isDefined = true;
  if (!body(result))
    return false;
  module.functionIndices[result.name] = module.functions.size();
  module.functions.push_back(std::move(result));
  return true;
}

llvm::Expected<std::unique_ptr<Module>>
napkin::ptx::parse(llvm::StringRef text, llvm::StringRef file) {
  auto module = std::make_unique<Module>();
  module->file = file.str();
  module->text = std::make_unique<std::string>(text.str());
  ParserImplementation parser(*module);
  if (!parser.parseModule())
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   parser.error);
  return std::move(module);
}

llvm::Expected<std::unique_ptr<Module>>
napkin::ptx::parseFile(llvm::StringRef path) {
  // A device may have no end; what a pipe gives does.
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) &&
      status.type() == llvm::sys::fs::file_type::character_file)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "%s: error: is a device, not a file",
                                   path.str().c_str());
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(
        buffer.getError(), "%s: error: cannot read: %s", path.str().c_str(),
        buffer.getError().message().c_str());
  return parse((*buffer)->getBuffer(), path);
}
