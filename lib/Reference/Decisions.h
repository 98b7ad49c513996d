//===- Decisions.h - operations whose results jump --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A comparison, or a rounding to an integer, turns the least error of its
// operand into a whole step. Whoever judges results has to know which elements
// stood close enough to a step that a right kernel may have taken the other
// side, and by how much that changes each result.
//
// Three kinds of evaluation of one diagram, in this order:
//   record   in exact arithmetic: operands and decisions are kept;
//   measure  in single precision: the operands' errors are measured, and the
//            recorded decisions are taken, so that no error is of a step;
//   shift    in exact arithmetic: operands are shifted by what their error may
//            be, down, up, or each at random.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_DECISIONS_H
#define NAPKIN_LIB_REFERENCE_DECISIONS_H

#include "Scalars.h"
#include "llvm/ADT/MapVector.h"
#include <random>

namespace napkin::reference {

/// Whether the result of \p op jumps as its float operands vary.
bool jumps(mlir::Operation *op);

/// What was decided at each operation that jumps.
class Decisions {
public:
  enum class Shift { Down, Up, Random };

  void record() { begin(Mode::Record); }
  void measure() { begin(Mode::Measure); }

  /// Evaluations shift by \p factor times the largest error that was measured
  /// for the operand, plus one unit in the last place of f32 relative to its
  /// largest value; by nothing where every value was exact.
  void shift(Shift direction, double factor, uint64_t seed);

  /// Whether any operand has an error, so that a shift may change something.
  bool hasErrors() const;

  /// \p run, the instruction of \p op, watched. The evaluation visits the
  /// elements in the same order each time.
  ScalarProgram::Run watch(mlir::Operation *op, ScalarProgram::Run run);

  /// The positions of \p row, one of those that \p op searches, the largest
  /// element first and the first of equal ones. When shifting, the first (down)
  /// or the last (up) of elements that stand closer than their errors stands
  /// for all of them, or they change places at random. Rows are visited in the
  /// same order each time.
  std::vector<int64_t> order(mlir::Operation *op, llvm::ArrayRef<double> row);

private:
  enum class Mode { Record, Measure, Shift };

  /// One operation that jumps.
  struct Site {
    mlir::Operation *op;
    /// The operands that may be off, element by element: their positions among
    /// the operands, and their values in exact arithmetic.
    std::vector<std::pair<unsigned, std::vector<double>>> operands;
    /// What was decided in exact arithmetic; one of the two is in use.
    std::vector<double> floats;
    std::vector<int64_t> integers;
    double maxError = 0, maxValue = 0;
    /// Elements visited in this evaluation.
    size_t next = 0;
  };

  void begin(Mode mode);
  Site &siteOf(mlir::Operation *op);
  /// How far an operand of \p site may be off.
  double reachOf(const Site &site) const {
    return factor * site.maxError + 0x1p-23 * site.maxValue;
  }
  /// Lets elements of \p row change places in \p order where they are closer
  /// than \p distance.
  void exchange(llvm::ArrayRef<double> row, std::vector<int64_t> &order,
                double distance);
  static void measureErrors(Site &site, std::vector<double> &exact,
                            const double *now, int count);
  static bool recordSite(Site &site, const ScalarProgram::Run &run,
                         ScalarProgram &program, int count);
  static bool measureSite(Site &site, const ScalarProgram::Run &run,
                          ScalarProgram &program, int count);
  bool shiftSite(Site &site, const ScalarProgram::Run &run,
                 ScalarProgram &program, int count);

  Mode mode = Mode::Record;
  Shift direction = Shift::Up;
  double factor = 1;
  std::mt19937_64 random;
  llvm::MapVector<mlir::Operation *, std::unique_ptr<Site>> sites;
};

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_DECISIONS_H
