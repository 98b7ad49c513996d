//===- ParserImplementation.h - State of the PTX parser --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recursive-descent parser with two tokens of look-ahead. Every method that
// returns bool returns false after recording the first error.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PTX_PARSERIMPLEMENTATION_H
#define NAPKIN_LIB_PTX_PARSERIMPLEMENTATION_H

#include "Lexer.h"
#include "napkin/PTX/Module.h"

#include "llvm/ADT/StringMap.h"

#include <map>

namespace napkin::ptx {

class ParserImplementation {
public:
  explicit ParserImplementation(Module &module);
  bool parseModule();
  /// "file:line:column: error: ..." once a method has returned false.
  std::string error;

private:
  /// What a name means inside a function.
  struct Name {
    enum class Kind : uint8_t { Register, Variable, Label } kind;
    uint32_t index;
    /// Elements of a vector register, which are registers one after another.
    uint32_t elements = 1;
  };
  struct Scope {
    int parent;
    llvm::StringMap<Name> names;
    llvm::StringMap<uint32_t> labels;
  };
  /// A label used before its scope was complete.
  struct PendingLabel {
    uint32_t instruction;
    llvm::SmallVector<uint32_t, 3> path;
    llvm::StringRef name;
    int scope;
    Token token;
  };

  // Tokens.
  void advance();
  bool fail(const Token &at, const std::string &what);
  bool expect(char c, const char *where);
  bool accept(char c);
  bool integer(int64_t &value, const char *what);
  bool unsignedInteger(uint64_t &value, uint64_t limit, const char *what);

  // Module level (Parser.cpp).
  bool directive();
  bool section();
  bool variable(Variable &result, Space space, bool isParameter);
  bool variableList(Space space, bool isExtern);
  bool initializer(Variable &result);
  bool initializerValues(Variable &result, unsigned depth);
  bool initializerValue(Variable &result);
  bool function(bool isEntry);
  bool alias();
  bool parameterList(std::vector<Variable> &list);
  bool performanceDirective(Function &function, bool &known);
  bool triple(std::array<uint32_t, 3> &values);
  bool location();
  bool inlineSite(llvm::StringRef label, uint64_t offset);
  bool sourceFile();

  // Inside a body (ParserBody.cpp).
  bool body(Function &function);
  bool statement();
  bool registers();
  bool localVariables(Space space);
  bool labelledDirective();
  bool instruction();
  bool operand(Operand &result, unsigned depth);
  bool simpleOperand(Operand &result);
  bool address(Operand &result, unsigned depth);
  bool constant(int64_t &value, unsigned depth);
  bool named(Operand &result, const Token &name);
  bool registerOperand(Operand &result, const Token &name, const Name &found);
  bool resolveLabels();
  const Name *lookUp(llvm::StringRef name) const;
  bool declare(const Token &at, llvm::StringRef name, Name what);

  Module &module;
  Lexer lexer;
  Token token, ahead;
  Position position;
  Function *current = nullptr;
  std::vector<Scope> scopes;
  int scope = -1;
  std::vector<PendingLabel> pending;
  llvm::SmallVector<uint32_t, 3> path;
  bool inBranch = false;
  uint64_t moduleRegisters = 0;
  /// The `.loc` positions of the function so far, by file, line and column, and
  /// where each was inlined: an `inlined_at` names one of them.
  std::map<std::array<uint32_t, 3>, uint32_t> locations;
  /// The sites of the function, by what they say.
  std::map<std::array<uint32_t, 4>, uint32_t> sites;
  llvm::StringMap<unsigned> moduleNames;
};

} // namespace napkin::ptx

#endif // NAPKIN_LIB_PTX_PARSERIMPLEMENTATION_H
