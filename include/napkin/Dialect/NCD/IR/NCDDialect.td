//===- NCDDialect.td - the ncd dialect and its base classes -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself and one base class for each kind of definition.
// Names follow one convention throughout:
//
//   Ops:        def NCD_ContractOp : NCD_Op<"contract">          -> ContractOp
//   Types:      def NCD_ArrayType : NCD_Type<"Array", "array">   -> ArrayType
//   Attributes: def NCD_PartitionAttr : NCD_Attr<"Partition", "partition">
//                                                                -> PartitionAttr
//   Interfaces: def NCD_DecomposableOpInterface                  -> DecomposableOpInterface
//
// Every operand, result, attribute and parameter goes through NCD_Arg, NCD_Res
// or NCD_Param, whose documentation string is not optional.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDDIALECT_TD
#define NAPKIN_DIALECT_NCD_IR_NCDDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def NCD_Dialect : Dialect {
  let name = "ncd";
  let summary = "Neural circuit diagrams: what an algorithm computes";
  let description = [{
    A diagram says *what* is computed: arrays whose axes have names, and a few
    orthogonal operations on them. An axis that an operation does not name is
    woven, that is, mapped over. Nothing in a diagram says where or when
    anything happens; the schedule stage adds that as decorations of
    `ncd.kernel`, and the streaming algebra rewrites a kernel's body as an
    `ncd.stream`, in the same operations.
  }];
  let cppNamespace = "::napkin::ncd";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Registers the types of the dialect; called by initialize().
    void registerTypes();
    /// Registers the attributes of the dialect; called by initialize().
    void registerAttributes();
  }];
}

/// An operation of the dialect.
class NCD_Op<string mnemonic, list<Trait> traits = []>
    : Op<NCD_Dialect, mnemonic, traits>;

/// A type of the dialect.
class NCD_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<NCD_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

/// An attribute of the dialect.
class NCD_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<NCD_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

/// An operand or attribute of an operation, with its documentation.
class NCD_Arg<Constraint constraint, string doc> : Arg<constraint, doc>;

/// A result of an operation, with its documentation.
class NCD_Res<Constraint constraint, string doc> : Res<constraint, doc>;

/// A parameter of a type or attribute, with its documentation.
class NCD_Param<string cppType, string doc> : AttrOrTypeParameter<cppType, doc>;

/// A list parameter of a type or attribute, with its documentation.
class NCD_ListParam<string elementType, string doc>
    : ArrayRefParameter<elementType, doc>;

#endif // NAPKIN_DIALECT_NCD_IR_NCDDIALECT_TD
