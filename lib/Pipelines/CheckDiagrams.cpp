//===- CheckDiagrams.cpp - what no pass could do anything with ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CheckDiagrams.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"

using namespace mlir;
using namespace napkin;

LogicalResult napkin::pipelines::checkDiagrams(ModuleOp module) {
  WalkResult walked = module.walk([&](ncd::DiagramOp diagram) {
    auto parent = dyn_cast<ModuleOp>(diagram->getParentOp());
    if (parent != module) {
      InFlightDiagnostic error = diagram.emitError("diagram '")
                                 << diagram.getSymName() << "' is inside of ";
      if (parent && parent.getSymName())
        error << "module '" << *parent.getSymName() << "'";
      else
        error << "another operation";
      error << ", and only those at the top of the file are compiled; take the "
               "brackets around it away";
      return WalkResult::interrupt();
    }
    if (diagram.getResultTypes().empty()) {
      diagram.emitError("diagram '")
          << diagram.getSymName()
          << "' has no result, so there is nothing to compute; declare one "
             "behind '->' and return it";
      return WalkResult::interrupt();
    }
    return WalkResult::skip();
  });
  return failure(walked.wasInterrupted());
}
