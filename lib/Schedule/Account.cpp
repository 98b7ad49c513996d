//===- Account.cpp - choices as attributes, and back ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/Account.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

ncd::DecisionAttr napkin::schedule::attributeOf(MLIRContext *context,
                                                const Choice &choice) {
  SmallVector<ncd::ReasonAttr> reasons;
  for (const Reason &reason : choice.reasons) {
    SmallVector<StringAttr> names;
    for (const std::string &name : reason.names)
      names.push_back(StringAttr::get(context, name));
    reasons.push_back(
        ncd::ReasonAttr::get(context, reason.cause, reason.numbers, names));
  }
  return ncd::DecisionAttr::get(context, choice.subject,
                                StringAttr::get(context, choice.name),
                                choice.size, reasons);
}

ArrayAttr napkin::schedule::attributeOf(MLIRContext *context,
                                        ArrayRef<Choice> choices) {
  SmallVector<Attribute> result;
  for (const Choice &choice : choices)
    result.push_back(attributeOf(context, choice));
  return ArrayAttr::get(context, result);
}

Choice napkin::schedule::choiceOf(ncd::DecisionAttr decision) {
  Choice choice{decision.getSubject(), decision.getName().str(),
                decision.getSize()};
  for (ncd::ReasonAttr attribute : decision.getReasons()) {
    Reason &reason = choice.reasons.emplace_back(Reason{attribute.getCause()});
    llvm::append_range(reason.numbers, attribute.getNumbers());
    for (StringAttr name : attribute.getNames())
      reason.names.push_back(name.str());
  }
  return choice;
}

std::vector<Choice> napkin::schedule::choicesOf(ncd::KernelOp kernel) {
  std::vector<Choice> result;
  if (ncd::AccountAttr account = kernel.getAccountAttr())
    for (ncd::DecisionAttr decision : account.allDecisions())
      result.push_back(choiceOf(decision));
  return result;
}
