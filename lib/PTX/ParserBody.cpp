//===- ParserBody.cpp - Function bodies of PTX -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Statements, scopes, operands. Scopes are kept as a tree until the end of the
// function, because a label may be used before it is seen.
//
//===----------------------------------------------------------------------===//

#include "ParserImplementation.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

using namespace napkin::ptx;
using Kind = Token::Kind;

static constexpr unsigned maximumDepth = 16;
/// Registers of a function, and of all functions together: each takes the host
/// some 100 bytes, and a short text can name many.
static constexpr uint64_t maximumRegisters = 1 << 18,
                          maximumModuleRegisters = 1 << 22;

const ParserImplementation::Name *
ParserImplementation::lookUp(llvm::StringRef name) const {
  for (int at = scope; at >= 0; at = scopes[at].parent) {
    auto found = scopes[at].names.find(name);
    if (found != scopes[at].names.end())
      return &found->second;
  }
  return nullptr;
}

bool ParserImplementation::declare(const Token &at, llvm::StringRef name,
                                   Name what) {
  if (scopes[scope].names.try_emplace(name, what).second)
    return true;
  return fail(at,
              fmt::format("'{}' is declared twice in one scope", name.str()));
}

bool ParserImplementation::body(Function &function) {
  current = &function;
  scopes.assign(1, Scope{-1, {}, {}});
  scope = 0;
  pending.clear();
  auto declareParameters = [&](std::vector<Variable> &list) {
    for (Variable &parameter : list) {
      if (parameter.space == Space::Register) {
        function.registers.push_back({parameter.name.str(), parameter.type});
        if (!declare(token, parameter.name,
                     {Name::Kind::Register,
                      uint32_t(function.registers.size() - 1)}))
          return false;
        continue;
      }
      function.variables.push_back(parameter);
      if (!declare(
              token, parameter.name,
              {Name::Kind::Variable, uint32_t(function.variables.size() - 1)}))
        return false;
    }
    return true;
  };
  if (!declareParameters(function.parameters) ||
      !declareParameters(function.results))
    return false;
  Token open = token;
  if (!expect('{', "before the function's body"))
    return false;
  position.sourceLine = 0;
  position.inlinedAt = 0;
  locations.clear();
  sites.clear();
  unsigned depth = 1;
  while (depth) {
    if (token.kind == Kind::End)
      return fail(open, "the function's body has no closing '}'");
    if (token.is('{')) {
      if (++depth > 64)
        return fail(token, "scopes are nested too deeply");
      scopes.push_back(Scope{scope, {}, {}});
      scope = scopes.size() - 1;
      advance();
    } else if (token.is('}')) {
      --depth;
      scope = scopes[scope].parent;
      advance();
    } else if (!statement()) {
      return false;
    }
  }
  bool resolved = resolveLabels();
  current = nullptr;
  return resolved;
}

bool ParserImplementation::statement() {
  if (accept(';'))
    return true;
  if (token.kind == Kind::Identifier && ahead.is(':')) {
    if (!scopes[scope]
             .labels.try_emplace(token.text, current->body.size())
             .second)
      return fail(token,
                  fmt::format("label '{}' is defined twice", token.text.str()));
    advance();
    advance();
    return true;
  }
  if (token.kind != Kind::Dotted)
    return instruction();
  llvm::StringRef word = token.text;
  if (word == "branchtargets" || word == "callprototype" ||
      word == "calltargets")
    return labelledDirective();
  Token first = token;
  advance();
  if (word == "reg")
    return registers();
  if (word == "loc")
    return location();
  if (word == "local")
    return localVariables(Space::Local);
  if (word == "shared")
    return localVariables(Space::Shared);
  if (word == "param")
    return localVariables(Space::Param);
  if (word == "const")
    return localVariables(Space::Const);
  if (word == "global")
    return localVariables(Space::Global);
  if (word == "section")
    return section();
  if (word == "file")
    return sourceFile();
  if (word == "pragma") {
    while (token.kind != Kind::End && !token.is(';'))
      advance();
    return expect(';', "after .pragma");
  }
  return fail(first,
              fmt::format("directive '.{}' is not supported here", word.str()));
}

bool ParserImplementation::registers() {
  Type type = Type::None;
  unsigned vector = 0;
  while (token.kind == Kind::Dotted) {
    if (token.text == "v2" || token.text == "v4")
      vector = token.text[1] - '0';
    else if ((type = typeFromName(token.text)) == Type::None)
      return fail(
          token, fmt::format("'.{}' is not a register type", token.text.str()));
    advance();
  }
  if (type == Type::None)
    return fail(token, ".reg needs a type");
  auto add = [&](const Token &at, llvm::StringRef name) {
    uint32_t first = current->registers.size();
    if (!vector)
      current->registers.push_back({name.str(), type});
    for (unsigned i = 0; i < vector; ++i)
      current->registers.push_back(
          {fmt::format("{}.{}", name.str(), "xyzw"[i]), type});
    return declare(at, name,
                   {Name::Kind::Register, first, std::max(1u, vector)});
  };
  do {
    if (token.kind != Kind::Identifier)
      return fail(token, "expected a register's name");
    Token name = token;
    advance();
    if (accept('<')) {
      uint64_t count;
      if (!unsignedInteger(count, maximumRegisters,
                           "the number of registers") ||
          !expect('>', "after the number of registers"))
        return false;
      if (current->registers.size() + count * std::max(1u, vector) >
          maximumRegisters)
        return fail(name, "the function has too many registers");
      if ((moduleRegisters += count) > maximumModuleRegisters)
        return fail(name, "the functions together have too many registers");
      for (uint64_t i = 0; i < count; ++i)
        if (!add(name, fmt::format("{}{}", name.text.str(), i)))
          return false;
    } else if (!add(name, name.text)) {
      return false;
    }
  } while (accept(','));
  return expect(';', "after .reg");
}

bool ParserImplementation::localVariables(Space space) {
  Variable result;
  if (!variable(result, space, false))
    return false;
  while (true) {
    Token at = token;
    if (token.is('=') && !initializer(result))
      return false;
    llvm::StringRef name = result.name;
    // Scopes may reuse a name: make it unique in the function.
    auto unique = std::make_unique<std::string>(
        fmt::format("{}::{}#{}", current->name.str(), name.str(),
                    current->variables.size()));
    Variable next = result;
    result.name = *unique;
    module.strings.push_back(std::move(unique));
    current->variables.push_back(std::move(result));
    if (!declare(
            at, name,
            {Name::Kind::Variable, uint32_t(current->variables.size() - 1)}))
      return false;
    if (!accept(','))
      break;
    if (token.kind != Kind::Identifier)
      return fail(token, "expected a variable's name");
    result = std::move(next);
    result.initializer.clear();
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

/// `.branchtargets A, B;` becomes a pseudo-instruction that only tables use.
bool ParserImplementation::labelledDirective() {
  Instruction result;
  result.opcode = token.text;
  result.position = position;
  result.position.line = token.line;
  const char *begin = token.begin;
  advance();
  if (result.opcode == "callprototype") {
    while (token.kind != Kind::End && token.kind != Kind::Error &&
           !token.is(';'))
      advance();
  } else {
    do {
      if (token.kind != Kind::Identifier)
        return fail(token, "expected a label");
      Operand target;
      target.kind = Operand::Kind::Label;
      target.name = token.text;
      if (result.opcode == "branchtargets")
        pending.push_back({uint32_t(current->body.size()),
                           {uint32_t(result.operands.size())},
                           token.text,
                           scope,
                           token});
      else
        target.kind = Operand::Kind::Symbol;
      result.operands.push_back(target);
      advance();
    } while (accept(','));
  }
  result.text = llvm::StringRef(begin, token.begin ? token.begin - begin : 0);
  current->body.push_back(std::move(result));
  return expect(';', "after the directive");
}

bool ParserImplementation::instruction() {
  Instruction result;
  result.position = position;
  result.position.line = token.line;
  const char *begin = token.begin;
  if (accept('@')) {
    result.guardNegated = accept('!');
    const Name *name =
        token.kind == Kind::Identifier ? lookUp(token.text) : nullptr;
    if (!name || name->kind != Name::Kind::Register ||
        current->registers[name->index].type != Type::Pred)
      return fail(token, "expected a predicate register after '@'");
    result.guard = name->index;
    advance();
  }
  if (token.kind != Kind::Identifier || token.text[0] == '%')
    return fail(token, fmt::format("expected an instruction, found '{}'",
                                   token.text.take_front(40).str()));
  result.opcode = token.text;
  advance();
  while (token.kind == Kind::Dotted) {
    result.modifiers.push_back(token.text);
    advance();
  }
  inBranch = result.opcode == "bra";
  const char *finish = token.begin;
  while (!token.is(';')) {
    if (token.kind == Kind::End || token.kind == Kind::Error)
      return fail(token, "instruction without ';'");
    Operand next;
    path.assign(1, result.operands.size());
    if (token.is('(')) {
      next.kind = Operand::Kind::List;
      advance();
      while (!token.is(')')) {
        Operand element;
        path.assign(
            {uint32_t(result.operands.size()), uint32_t(next.elements.size())});
        if (!operand(element, 0))
          return false;
        next.elements.push_back(std::move(element));
        if (!accept(','))
          break;
      }
      if (!expect(')', "after the list"))
        return false;
    } else if (!operand(next, 0)) {
      return false;
    }
    if (next.kind == Operand::Kind::Address && token.isDotted("unified")) {
      result.modifiers.push_back(token.text);
      advance();
    }
    result.operands.push_back(std::move(next));
    finish = token.begin;
    if (!accept(','))
      break;
  }
  result.text = llvm::StringRef(begin, finish - begin).rtrim();
  current->body.push_back(std::move(result));
  return expect(';', "after the instruction");
}

bool ParserImplementation::constant(int64_t &value, unsigned depth) {
  if (depth > maximumDepth)
    return fail(token, "the expression is nested too deeply");
  bool negative = false, inverted = false;
  while (token.is('-') || token.is('~') || token.is('+')) {
    negative ^= token.is('-');
    inverted ^= token.is('~');
    advance();
  }
  if (accept('(')) {
    if (!constant(value, depth + 1) || !expect(')', "after the expression"))
      return false;
  } else if (token.kind == Kind::Integer) {
    value = token.value;
    advance();
  } else {
    return fail(token, "expected an integer");
  }
  if (inverted)
    value = ~value;
  if (negative)
    value = -uint64_t(value);
  return true;
}

/// A register, an element of a vector register (`v.x`), a whole vector register
/// (then its elements), or a part of a register (`%r1.b0`, video instructions).
bool ParserImplementation::registerOperand(Operand &result, const Token &name,
                                           const Name &found) {
  auto element = [&](uint32_t index) {
    Operand operand;
    operand.kind = Operand::Kind::Register;
    operand.reg = index;
    operand.minus = result.minus;
    return operand;
  };
  bool hasSuffix = token.kind == Kind::Dotted && token.glued;
  if (found.elements == 1) {
    result = element(found.index);
    if (hasSuffix) {
      result.part = token.text;
      advance();
    }
    return true;
  }
  if (!hasSuffix) {
    result.kind = Operand::Kind::Vector;
    for (uint32_t i = 0; i < found.elements; ++i)
      result.elements.push_back(element(found.index + i));
    return true;
  }
  size_t at = llvm::StringRef("xyzw").find(token.text);
  if (at == llvm::StringRef::npos)
    at = llvm::StringRef("rgba").find(token.text);
  if (token.text.size() != 1 || at >= found.elements)
    return fail(token, fmt::format("'{}' has no element '{}'", name.text.str(),
                                   token.text.take_front(40).str()));
  advance();
  result = element(found.index + at);
  return true;
}

/// A register, special register, variable, function or label.
bool ParserImplementation::named(Operand &result, const Token &name) {
  if (!inBranch || name.text[0] == '%')
    if (const Name *found = lookUp(name.text)) {
      if (found->kind == Name::Kind::Register)
        return registerOperand(result, name, *found);
      result.kind = Operand::Kind::Symbol;
      result.name = current->variables[found->index].name;
      return true;
    }
  if (name.text[0] == '%') {
    result.kind = Operand::Kind::Special;
    result.name = name.text.drop_front();
    if (token.kind == Kind::Dotted && token.glued) {
      result.name = llvm::StringRef(result.name.data(),
                                    token.text.end() - result.name.data());
      advance();
    }
    return true;
  }
  if (!inBranch &&
      (moduleNames.count(name.text) || name.text == current->name)) {
    result.kind = Operand::Kind::Symbol;
    result.name = name.text;
    return true;
  }
  result.kind = Operand::Kind::Label;
  result.name = name.text;
  pending.push_back(
      {uint32_t(current->body.size()), path, name.text, scope, name});
  return true;
}

bool ParserImplementation::simpleOperand(Operand &result) {
  if (token.kind == Kind::Identifier) {
    Token name = token;
    advance();
    if (name.text == "_") {
      result.kind = Operand::Kind::Sink;
      return true;
    }
    if (name.text == "WARP_SZ") {
      result.kind = Operand::Kind::Integer;
      result.integer = 32;
      return true;
    }
    return named(result, name);
  }
  if (token.is('-') && ahead.kind == Kind::Identifier) {
    advance();
    Token name = token;
    advance();
    result.minus = true;
    if (!named(result, name))
      return false;
    return result.kind == Operand::Kind::Register ||
           fail(name, "only a register can be negated");
  }
  bool negative = token.is('-') && ahead.kind == Kind::Float;
  if (negative)
    advance();
  if (token.kind == Kind::Float) {
    result.kind = Operand::Kind::Float;
    result.integer = token.value;
    result.single = token.single;
    if (negative)
      result.integer ^= token.single ? int64_t(0x80000000u) : INT64_MIN;
    advance();
    return true;
  }
  result.kind = Operand::Kind::Integer;
  if (token.kind != Kind::Integer && !token.is('-') && !token.is('~') &&
      !token.is('(') && !token.is('+'))
    return fail(token, fmt::format("expected an operand, found '{}'",
                                   token.text.take_front(40).str()));
  return constant(result.integer, 0);
}

bool ParserImplementation::address(Operand &result, unsigned depth) {
  result.kind = Operand::Kind::Address;
  Operand base;
  path.push_back(0);
  if (!simpleOperand(base))
    return false;
  path.pop_back();
  while (token.is('+') || token.is('-')) {
    // ptxas refuses it too.
    if (token.is('-') && base.kind != Operand::Kind::Integer)
      return fail(token, "an offset is added: write '+-'");
    bool negative = token.is('-');
    advance();
    int64_t offset;
    if (!constant(offset, 0))
      return false;
    result.integer += negative ? -uint64_t(offset) : uint64_t(offset);
  }
  if (base.kind == Operand::Kind::Integer) {
    result.integer += uint64_t(base.integer);
    base.integer = 0;
  }
  result.elements.push_back(std::move(base));
  while (accept(',')) {
    Operand next;
    path.push_back(result.elements.size());
    if (!operand(next, depth + 1))
      return false;
    path.pop_back();
    result.elements.push_back(std::move(next));
  }
  return expect(']', "after the address");
}

bool ParserImplementation::operand(Operand &result, unsigned depth) {
  if (depth > maximumDepth)
    return fail(token, "the operand is nested too deeply");
  if (accept('['))
    return address(result, depth);
  if (accept('{')) {
    result.kind = Operand::Kind::Vector;
    while (!token.is('}')) {
      Operand element;
      path.push_back(result.elements.size());
      if (!operand(element, depth + 1))
        return false;
      path.pop_back();
      result.elements.push_back(std::move(element));
      if (!accept(','))
        break;
    }
    return expect('}', "after the vector");
  }
  bool negated = accept('!');
  if (!simpleOperand(result))
    return false;
  result.negated = negated;
  if ((token.is('+') || token.is('-')) &&
      result.kind == Operand::Kind::Symbol) {
    if (token.is('-'))
      return fail(token, "an offset is added: write '+-'");
    bool negative = token.is('-');
    advance();
    int64_t offset;
    if (!constant(offset, 0))
      return false;
    result.integer = negative ? -uint64_t(offset) : uint64_t(offset);
  }
  if (accept('|')) {
    const Name *name =
        token.kind == Kind::Identifier ? lookUp(token.text) : nullptr;
    if (token.kind == Kind::Identifier && token.text == "_")
      result.second = -2;
    else if (name && name->kind == Name::Kind::Register)
      result.second = name->index;
    else
      return fail(token, "expected a register after '|'");
    advance();
  }
  return true;
}

bool ParserImplementation::resolveLabels() {
  for (PendingLabel &use : pending) {
    std::optional<uint32_t> target;
    for (int at = use.scope; at >= 0 && !target; at = scopes[at].parent) {
      auto found = scopes[at].labels.find(use.name);
      if (found != scopes[at].labels.end())
        target = found->second;
    }
    if (!target)
      return fail(use.token, fmt::format("unknown name '{}'", use.name.str()));
    Operand *operand = &current->body[use.instruction].operands[use.path[0]];
    for (uint32_t step : llvm::drop_begin(use.path))
      operand = &operand->elements[step];
    operand->integer = *target;
  }
  return true;
}
