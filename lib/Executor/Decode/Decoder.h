//===- Decoder.h - From PTX instructions to handlers -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instruction table names a decoding function for each opcode. It takes the
// modifiers it knows; one that is left over is an error, so nothing is ever
// ignored by accident.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_DECODE_DECODER_H
#define NAPKIN_LIB_EXECUTOR_DECODE_DECODER_H

#include "Machine/Program.h"
#include "Vector/Backend.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

namespace napkin::executor {

class Decoder;

/// One line of the instruction table.
struct InstructionInfo {
  const char *opcode;
  /// Spelling with its alternatives, and what it does.
  const char *forms, *summary;
  Pipe pipe;
  bool (*decode)(Decoder &);
};

/// The table, sorted by family.
llvm::ArrayRef<InstructionInfo> instructionTable();
/// The entry of `opcode`, or null.
const InstructionInfo *findInstruction(llvm::StringRef opcode);
/// Why an instruction that exists is not in the table; null: it does not exist.
const char *refusal(llvm::StringRef opcode);

class Decoder {
public:
  using Operand = ptx::Operand;
  using Type = ptx::Type;

  Decoder(Program &program, const ptx::Module &module,
          const LaunchConfig &config, const Options &options, Device &device);

  llvm::Error run(const ptx::Function &entry, const Arguments &arguments);

  // For the decoding functions. All that return bool or a reference record an
  // error on failure; `failed()` tells.
  bool fail(const std::string &what);
  bool failed() const { return !error.empty(); }
  const Options &launchOptions() const { return options; }
  llvm::StringRef opcode() const { return instruction->opcode; }
  llvm::ArrayRef<Operand> operands() const { return instruction->operands; }
  const Operand &operand(unsigned i) const { return instruction->operands[i]; }
  size_t count() const { return instruction->operands.size(); }
  bool expectOperands(size_t low, size_t high = 0);

  /// Consumes modifier `name` if it is there.
  bool take(llvm::StringRef name);
  /// Consumes the first of `names` that is there and gives its index, else -1.
  int takeOneOf(std::initializer_list<llvm::StringRef> names);
  /// Consumes the next modifier that names a type; None if there is none.
  Type takeType();
  /// Consumes modifiers that only hint: cache operators, eviction, prefetch.
  void takeHints();
  /// The next unconsumed modifier, not consumed; empty at the end.
  llvm::StringRef peek() const;
  /// Consumes every modifier that starts with `prefix` and returns the first.
  llvm::StringRef takePrefix(llvm::StringRef prefix);

  /// A reference to the value of `operand` at the width of `type`.
  uint32_t source(const Operand &operand, Type type);
  /// The same of an integer of 32 bits whose type the instruction does not say:
  /// a count, a mask, the number of a barrier, a distance.
  uint32_t number(const Operand &operand);
  /// A reference to write a result of `type` to; widened afterwards if the
  /// register is wider.
  uint32_t destination(const Operand &operand, Type type);
  /// Predicate indices; a number is a predicate that is always true or false.
  uint32_t predicateSource(const Operand &operand, bool &negated);
  uint32_t predicateDestination(const Operand &operand);
  /// The index of a register that must be a predicate.
  uint32_t predicateRegister(uint32_t reg);
  uint32_t newPredicate() { return program.predicates++; }
  /// The operand of .L2::cache_hint, which nothing is done with.
  void cachePolicy(const Operand &operand);
  /// Width in bits of the register (16, 32, 64) or of an operand's own type.
  unsigned operandBits(const Operand &operand) const;
  bool isPredicate(const Operand &operand) const;
  Type registerType(const Operand &operand) const;
  /// An integer known now.
  std::optional<int64_t> constantOf(const Operand &operand);
  /// The address of an Address operand: sets a, small0 and offset of `to`.
  bool address(const Operand &operand, Instr &to);
  /// An access of `size` bytes at `address` must stay in the static variable
  /// that the address was computed from, if that is known.
  void keepInVariable(const Operand &address, unsigned size, bool isWrite);
  /// `from` (of `own` bits) at another width; the same if it has that already.
  uint32_t resized(uint32_t from, unsigned own, unsigned bits);
  /// The area of local memory for alloca, made when first asked for.
  struct StackArea {
    /// A 64-bit register: what is in use. It starts at 0.
    uint32_t pointer = noRegister;
    uint32_t base = 0, bytes = 16 * 1024;
  };
  StackArea stackArea();
  /// A register for an intermediate value. 128 bits are two halves of 64, one
  /// after the other (see `halves`).
  uint32_t temporary(unsigned bits);
  uint32_t constant(unsigned bits, uint64_t value);
  /// The 64-bit registers that a 128-bit one consists of, low first.
  static std::array<uint32_t, 2> halves(uint32_t wide) {
    return {wide, wide + lanes * 8};
  }

  /// Appends a micro-instruction with this instruction's guard. The reference
  /// is valid until the next one.
  Instr &emit(Handler handler);
  /// From now on `predicate` guards in the place of the instruction's own
  /// guard, until noGuard ends that.
  void guardBy(uint32_t predicate) { ownGuard = predicate; }
  const uint32_t *list(llvm::ArrayRef<uint32_t> references);
  template <class T>
  T *extra() {
    return new (program.memory.Allocate<T>()) T();
  }

  /// Variables. The offset of a local (or call parameter) variable, the shared
  /// address, or the global address.
  struct VariablePlace {
    ptx::Space space;
    uint64_t address;
    bool isKernelParameter;
    uint64_t bytes;
  };
  /// Where `name` lies, as function `of` (null: the one that is decoded) sees
  /// it: its own variables first.
  std::optional<VariablePlace> findVariable(llvm::StringRef name,
                                            const ptx::Function *of = nullptr);
  /// The value of a special register that is the same for the whole launch:
  /// where reserved shared memory lies, and the driver's grid workspace, which
  /// cooperative groups synchronise the grid with.
  std::optional<uint64_t> launchConstant(llvm::StringRef special);
  /// Code index of a function's start (patched later), by table index.
  void markPolling(uint32_t branch);
  uint32_t functionIndex(llvm::StringRef name);
  /// This instruction writes a register that is none of its operands.
  void alsoWrites(uint32_t reference) { usesNow.writes.push_back(reference); }
  /// The register of a `.reg` parameter or result of a function that is called;
  /// none for a predicate.
  std::optional<uint32_t> parameterRegister(const ptx::Function &function,
                                            bool isResult, size_t position);
  /// What a pointer to a function holds: the same in every launch of a module.
  std::optional<uint64_t> functionAddress(llvm::StringRef name) const;
  const ptx::Function *functionAt(uint32_t index) const { return queue[index]; }
  llvm::ArrayRef<ptx::Instruction> body() const { return function->body; }

  Program &program;
  const ptx::Module &module;
  const LaunchConfig &config;
  const Options &options;
  Device &device;
  const ptx::Function *function = nullptr;
  const ptx::Instruction *instruction = nullptr;
  bool isSm90() const;
  /// Branch targets are instruction indices until the end of a function.
  void patchLater(uint32_t codeIndex) { branches.push_back(codeIndex); }
  void patchCallLater(uint32_t codeIndex) {
    calls.push_back(codeIndex);
    callEdges.push_back({currentFunction, program.code[codeIndex].e});
  }
  uint32_t codeSize() const { return program.code.size(); }
  SourceInfo &info() { return program.sources.back(); }
  /// Brx tables: lists whose entries are instruction indices.
  std::vector<std::pair<uint32_t *, unsigned>> tables;

private:
  bool placeVariables(const Arguments &arguments);
  bool placeFunctionVariables(const ptx::Function &function);
  void collectNames(llvm::StringMap<bool> &names);
  bool placeParameters(const Arguments &arguments);
  bool placeShared(const llvm::StringMap<bool> &names);
  bool placeGlobals(const llvm::StringMap<bool> &names);
  bool decodeFunction(uint32_t index);
  bool decodeInstruction();
  bool checkVectors();
  /// Second results, `_`, names of variables, addresses (OperandForms.cpp).
  bool checkOperandForms();
  bool checkAddress(const Operand &operand, size_t position);
  unsigned leastAddressBits() const;
  bool checkConverted(const Operand &operand);
  bool checkRecursion();
  /// Finds registers of the function, whose PTX instructions begin with this
  /// one, that may be read before they are written.
  void findUnwritten(uint32_t firstSource);
  /// Finds for each register of the function the variable that its value is an
  /// address of (Provenance.cpp).
  void findProvenance();
  int boundedVariable(llvm::StringRef name);
  int provenanceOf(const Operand &operand);
  int resultProvenance(const ptx::Instruction &instruction);
  uint32_t registerReference(uint32_t reg);
  /// `%name` at this width.
  uint32_t specialRegister(llvm::StringRef name, unsigned bits);

  llvm::SmallVector<bool, 8> used;
  std::string error;
  llvm::StringMap<VariablePlace> variables;
  /// Local variables and parameters: functions may give them the same names.
  llvm::DenseMap<const ptx::Function *, llvm::StringMap<VariablePlace>>
      functionVariables;
  llvm::StringMap<bool> placedFunctions;
  /// By function, the registers of its `.reg` parameters: the first ones.
  llvm::StringMap<std::vector<uint32_t>> parameterRegisters;
  std::vector<const ptx::Function *> queue;
  llvm::StringMap<uint32_t> functionIndices;
  std::vector<uint32_t> functionStarts;
  std::vector<std::pair<uint32_t, uint32_t>> callEdges;
  std::vector<uint32_t> registerReferences;
  /// By register: an index into `bounded`, or less than 0.
  std::vector<int> provenance;
  std::vector<const ptx::Variable *> bounded;
  llvm::StringMap<int> boundedIndices;
  std::vector<uint32_t> branches, calls;
  std::map<std::pair<unsigned, uint64_t>, uint32_t> constants;
  llvm::StringMap<uint32_t> specialReferences;
  struct Widening {
    uint32_t to, from;
    unsigned toBits, fromBits;
    bool isSigned;
  };
  std::vector<Widening> widenings;
  std::vector<uint32_t> touchedNow;
  /// Registers of this instruction that stand in a vector with others of
  /// another type.
  llvm::SmallDenseSet<uint32_t, 8> mixedRegisters;
  RegisterUses usesNow;
  StackArea stack;
  bool firstMicro = true;
  uint32_t ownGuard = noGuard;
  uint32_t currentFunction = 0;
};

// Families, by file.
bool decodeInteger(Decoder &), decodeLogic(Decoder &), decodeShift(Decoder &),
    decodeBits(Decoder &), decodeAddLike(Decoder &), decodeMul(Decoder &),
    decodeMad(Decoder &), decodeDiv(Decoder &), decodeMinMax(Decoder &),
    decodeUnaryMath(Decoder &), decodeCarry(Decoder &), decodeVideo(Decoder &);
bool decodeMov(Decoder &), decodeSetp(Decoder &), decodeSet(Decoder &),
    decodeSelp(Decoder &), decodeSlct(Decoder &), decodeCvt(Decoder &),
    decodeCvta(Decoder &), decodeIsspacep(Decoder &), decodeCvtPack(Decoder &),
    decodeTestp(Decoder &);
bool decodeLoad(Decoder &), decodeStore(Decoder &), decodePrefetch(Decoder &),
    decodeAtom(Decoder &), decodeLdmatrix(Decoder &), decodeStmatrix(Decoder &),
    decodeMovmatrix(Decoder &), decodeMma(Decoder &), decodeWmma(Decoder &);
bool decodeBranch(Decoder &), decodeCall(Decoder &), decodeReturn(Decoder &),
    decodeBarrier(Decoder &), decodeShuffle(Decoder &), decodeVote(Decoder &),
    decodeMatch(Decoder &), decodeRedux(Decoder &), decodeElect(Decoder &),
    decodeFence(Decoder &), decodeNothing(Decoder &),
    decodeActivemask(Decoder &), decodeNanosleep(Decoder &),
    decodeTrap(Decoder &), decodeBrx(Decoder &), decodeStack(Decoder &);
bool decodeCp(Decoder &), decodeMbarrier(Decoder &), decodeWgmma(Decoder &),
    decodeSetmaxnreg(Decoder &), decodeMapa(Decoder &),
    decodeGetctarank(Decoder &), decodeTensormap(Decoder &),
    decodeStAsync(Decoder &), decodeRedAsync(Decoder &),
    decodeMultimem(Decoder &), decodeBulk(Decoder &);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_DECODE_DECODER_H
