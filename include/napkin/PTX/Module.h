//===- Module.h - Parsed PTX -----------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a PTX text says, with names resolved and nothing interpreted: variables,
// functions, and instructions as an opcode, its modifiers and typed operands.
// Scopes are gone: a register is an index into its function's table and a label
// is an instruction index. Meaning is the executor's business.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PTX_MODULE_H
#define NAPKIN_PTX_MODULE_H

#include "napkin/PTX/Type.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace napkin::ptx {

/// The type that `name` ("f32", without the dot) spells, or None.
Type typeFromName(llvm::StringRef name);
/// Also knows the types below a byte that only matrices have.
Type matrixTypeFromName(llvm::StringRef name);
/// The spelling of `type` without the dot.
llvm::StringRef typeName(Type type);
/// Width in bits; a predicate has 1.
unsigned typeBits(Type type);
/// True for the signed integers.
bool isSigned(Type type);
/// True for every floating-point type, packed ones included.
bool isFloat(Type type);

/// State spaces of a variable.
enum class Space : uint8_t { Register, Global, Shared, Local, Param, Const };

/// A position in the PTX text, and the `.loc` in force there.
struct Position {
  /// Line of the PTX text, from 1.
  uint32_t line = 0;
  /// File index and line of the last `.loc`; line 0: there is none.
  uint32_t sourceFile = 0, sourceLine = 0, sourceColumn = 0;
  /// Where that line was inlined: 1 + an index into Module::inlineSites; 0: it
  /// was not.
  uint32_t inlinedAt = 0;
};

/// The place of a call that a compiler replaced by the callee's body (`.loc
/// ..., inlined_at`), from the inside outwards.
struct InlineSite {
  uint32_t sourceFile = 0, sourceLine = 0, sourceColumn = 0;
  /// The callee by its label in .debug_str plus an offset; empty: not told.
  llvm::StringRef functionLabel;
  uint64_t functionOffset = 0;
  /// Where the caller itself was inlined; as Position::inlinedAt.
  uint32_t inlinedAt = 0;
};

/// A relocation in an initialiser: the generic or own-space address of `symbol`
/// plus `addend` is stored in 8 bytes at `offset`.
struct Relocation {
  uint64_t offset = 0;
  llvm::StringRef symbol;
  int64_t addend = 0;
  bool generic = false;
};

/// A variable outside the register space, or a parameter.
struct Variable {
  llvm::StringRef name;
  Space space = Space::Global;
  Type type = Type::None;
  /// Alignment in bytes; the type's own when not declared.
  uint64_t alignment = 1;
  /// Elements in total; 0 for an unsized array (`.extern .shared s[]`).
  uint64_t elements = 1;
  bool isExtern = false;
  /// `.ptr` on a kernel parameter, with its declared pointee alignment.
  bool isPointer = false;
  /// Bytes of the initialiser, empty when there is none (then all zero).
  std::vector<uint8_t> initializer;
  std::vector<Relocation> relocations;
  Position position;
  /// Size in bytes.
  uint64_t bytes() const;
};

/// One virtual register.
struct Register {
  std::string name;
  Type type = Type::B32;
};

/// An operand as written.
struct Operand {
  enum class Kind : uint8_t {
    Register, ///< `reg`, perhaps `negated` (a predicate), perhaps `second`
    Special,  ///< `%tid.x`: `name` holds "tid.x"
    Integer,  ///< `integer`
    Float,    ///< `integer` holds the bits of an f64 or, if `single`, of an f32
    Symbol,   ///< a variable or function `name` plus `integer`
    Label,    ///< `integer` is the target's index in the body
    Address,  ///< `elements[0]` is the base, `integer` the offset; further
              ///< elements are the rest of a bracket: `[map, {x, y}]`
    Vector,   ///< `{a, b}`
    List,     ///< `(a, b)`: arguments of a call
    Sink      ///< `_`
  };
  Kind kind = Kind::Sink;
  bool negated = false;
  bool single = false;
  /// `-%r1`: only vmad takes it.
  bool minus = false;
  /// Register index in the function's table.
  uint32_t reg = 0;
  /// The second of `a|b`: register index, -1 for none, -2 for `_`.
  int32_t second = -1;
  int64_t integer = 0;
  llvm::StringRef name;
  /// A part of a register: "b0", "h1", "b3210" (video instructions).
  llvm::StringRef part;
  std::vector<Operand> elements;
};

/// One instruction.
struct Instruction {
  /// The part before the first dot: "mad".
  llvm::StringRef opcode;
  /// The parts after it: "wide", "s32".
  llvm::SmallVector<llvm::StringRef, 6> modifiers;
  /// The whole instruction as written, without `;` and comments.
  llvm::StringRef text;
  std::vector<Operand> operands;
  /// Guard predicate's register, -1 for none.
  int32_t guard = -1;
  bool guardNegated = false;
  Position position;
};

/// A kernel or a device function.
struct Function {
  llvm::StringRef name;
  bool isEntry = false;
  /// False for a declaration without a body.
  bool isDefined = false;
  std::vector<Variable> parameters, results;
  std::vector<Register> registers;
  /// Variables declared inside (local, shared, param), names made unique.
  std::vector<Variable> variables;
  std::vector<Instruction> body;
  std::array<uint32_t, 3> maxThreads{0, 0, 0}, requiredThreads{0, 0, 0};
  std::array<uint32_t, 3> requiredCluster{0, 0, 0};
  uint32_t maxRegisters = 0, minBlocksPerProcessor = 0;
  /// `.maxclusterrank`: blocks of a cluster, 0 for any.
  uint32_t maxClusterRank = 0;
  Position position;
};

/// A parsed PTX text. It owns the text that all StringRefs point into.
class Module {
public:
  /// The name used in messages, and the text itself.
  std::string file;
  std::unique_ptr<std::string> text;
  /// Strings that the text does not hold (unique names of scoped variables).
  std::vector<std::unique_ptr<std::string>> strings;
  /// `.version` as written, `.target`'s first word ("sm_90a"), `.address_size`.
  std::string version, target;
  unsigned addressSize = 64;
  /// Names of `.file` directives by index.
  llvm::DenseMap<unsigned, std::string> sourceFiles;
  std::vector<InlineSite> inlineSites;
  /// What section .debug_str holds, and where its labels are.
  std::string debugStrings;
  llvm::StringMap<uint64_t> debugLabels;
  std::vector<Variable> variables;
  std::vector<Function> functions;
  /// `.alias` directives: the function that another name means.
  llvm::StringMap<llvm::StringRef> aliases;

  /// Where each name's definition, else its first declaration, is among
  /// `functions`; the parser fills it.
  llvm::StringMap<uint32_t> functionIndices;

  /// The function called `name`, perhaps by an alias, or null.
  const Function *findFunction(llvm::StringRef name) const;
  /// The only kernel, or null when there are several or none.
  const Function *onlyEntry() const;
  /// The (mangled) name of the function that was inlined at `site`, or "".
  llvm::StringRef inlinedFunction(const InlineSite &site) const;
  /// Line `line` (from 1) of the text, trimmed.
  llvm::StringRef lineText(uint32_t line) const;
};

} // namespace napkin::ptx

#endif // NAPKIN_PTX_MODULE_H
