//===- InstructionTable.cpp - What the executor knows ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One line per opcode: `napkin-run --list-instructions` and the table of
// docs/executor.md are printed from here.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"

#include "llvm/ADT/StringMap.h"

#include <fmt/format.h>

using namespace napkin::executor;

#define INT "{u,s}{16,32,64}"
static const InstructionInfo table[] = {
    // clang-format off
    {"add", "add{.rnd}{.ftz}{.sat}{.cc}.{int,f32,f64,f16(x2),bf16(x2),s16x2,u16x2}", "sum", Pipe::ALU, decodeAddLike},
    {"sub", "sub{.rnd}{.ftz}{.sat}{.cc}.{int,f32,f64,f16(x2),bf16(x2)}", "difference", Pipe::ALU, decodeAddLike},
    {"mul", "mul{.lo,.hi,.wide}{.rnd}{.ftz}{.sat}.{int,f32,f64,f16(x2),bf16(x2)}", "product", Pipe::ALU, decodeMul},
    {"mul24", "mul24.{lo,hi}.{u32,s32}", "24-bit product", Pipe::ALU, decodeMul},
    {"mad", "mad{.lo,.hi,.wide}{.cc}{.rnd}{.ftz}{.sat}.{int,f32,f64}", "product and sum", Pipe::ALU, decodeMad},
    {"mad24", "mad24.{lo,hi}.{u32,s32}", "24-bit product and sum", Pipe::ALU, decodeMad},
    {"fma", "fma.rnd{.ftz}{.sat}{.relu}{.oob}.{f32,f64,f16(x2),bf16(x2)}", "fused product and sum", Pipe::FMA, decodeMad},
    {"sad", "sad." INT, "sum of absolute difference", Pipe::ALU, decodeMad},
    {"addc", "addc{.cc}.{u,s,b}{32,64}", "sum with carry", Pipe::ALU, decodeCarry},
    {"subc", "subc{.cc}.{u,s,b}{32,64}", "difference with borrow", Pipe::ALU, decodeCarry},
    {"madc", "madc.{lo,hi}{.cc}.{u,s}{32,64}", "product and sum with carry", Pipe::ALU, decodeCarry},
    {"div", "div{.approx,.full,.rnd}{.ftz}.{int,f32,f64}", "quotient", Pipe::ALU, decodeDiv},
    {"rem", "rem." INT, "remainder", Pipe::ALU, decodeDiv},
    {"min", "min{.ftz}{.NaN}{.xorsign.abs}{.relu}.{int,f32,f64,f16(x2),bf16(x2)}", "minimum", Pipe::ALU, decodeMinMax},
    {"max", "max{.ftz}{.NaN}{.xorsign.abs}{.relu}.{int,f32,f64,f16(x2),bf16(x2)}", "maximum", Pipe::ALU, decodeMinMax},
    {"abs", "abs{.ftz}.{int,f32,f64,f16(x2),bf16(x2)}", "absolute value", Pipe::ALU, decodeUnaryMath},
    {"neg", "neg{.ftz}.{int,f32,f64,f16(x2),bf16(x2)}", "negation", Pipe::ALU, decodeUnaryMath},
    {"rcp", "rcp{.approx,.rnd}{.ftz}.{f32,f64}", "reciprocal", Pipe::MUFU, decodeUnaryMath},
    {"sqrt", "sqrt{.approx,.rnd}{.ftz}.{f32,f64}", "square root", Pipe::MUFU, decodeUnaryMath},
    {"rsqrt", "rsqrt.approx{.ftz}.{f32,f64}", "reciprocal square root", Pipe::MUFU, decodeUnaryMath},
    {"sin", "sin.approx{.ftz}.f32", "sine", Pipe::MUFU, decodeUnaryMath},
    {"cos", "cos.approx{.ftz}.f32", "cosine", Pipe::MUFU, decodeUnaryMath},
    {"lg2", "lg2.approx{.ftz}.f32", "logarithm to base 2", Pipe::MUFU, decodeUnaryMath},
    {"ex2", "ex2.approx{.ftz}.{f32,f16(x2),bf16(x2)}", "power of 2", Pipe::MUFU, decodeUnaryMath},
    {"tanh", "tanh.approx.{f32,f16(x2),bf16(x2)}", "hyperbolic tangent", Pipe::MUFU, decodeUnaryMath},
    {"copysign", "copysign.{f32,f64}", "sign of one, size of the other", Pipe::ALU, decodeUnaryMath},
    {"testp", "testp.{finite,infinite,number,notanumber,normal,subnormal}.{f32,f64}", "class of a number", Pipe::ALU, decodeTestp},
    {"and", "and.{pred,b16,b32,b64}", "bitwise and", Pipe::ALU, decodeLogic},
    {"or", "or.{pred,b16,b32,b64}", "bitwise or", Pipe::ALU, decodeLogic},
    {"xor", "xor.{pred,b16,b32,b64}", "bitwise exclusive or", Pipe::ALU, decodeLogic},
    {"not", "not.{pred,b16,b32,b64}", "complement", Pipe::ALU, decodeLogic},
    {"cnot", "cnot.{b16,b32,b64}", "logical negation", Pipe::ALU, decodeLogic},
    {"lop3", "lop3{.or,.and}.b32", "any function of three bits", Pipe::ALU, decodeLogic},
    {"shl", "shl.{b16,b32,b64}", "shift left", Pipe::ALU, decodeShift},
    {"shr", "shr.{u,s,b}{16,32,64}", "shift right", Pipe::ALU, decodeShift},
    {"shf", "shf.{l,r}.{wrap,clamp}.b32", "funnel shift", Pipe::ALU, decodeShift},
    {"popc", "popc.{b32,b64}", "number of ones", Pipe::ALU, decodeBits},
    {"clz", "clz.{b32,b64}", "leading zeros", Pipe::ALU, decodeBits},
    {"bfind", "bfind{.shiftamt}.{u,s}{32,64}", "highest significant bit", Pipe::ALU, decodeBits},
    {"brev", "brev.{b32,b64}", "bit reversal", Pipe::ALU, decodeBits},
    {"bfe", "bfe.{u,s}{32,64}", "extract a bit field", Pipe::ALU, decodeBits},
    {"bfi", "bfi.{b32,b64}", "insert a bit field", Pipe::ALU, decodeBits},
    {"bmsk", "bmsk.{clamp,wrap}.b32", "bit mask", Pipe::ALU, decodeBits},
    {"szext", "szext.{clamp,wrap}.s32", "sign extension from a width", Pipe::ALU, decodeBits},
    {"prmt", "prmt.b32{.f4e,.b4e,.rc8,.ecl,.ecr,.rc16}", "byte permutation", Pipe::ALU, decodeBits},
    {"fns", "fns.b32", "n-th set bit", Pipe::ALU, decodeBits},
    {"dp4a", "dp4a.{u32,s32}.{u32,s32}", "dot product of 4 bytes", Pipe::ALU, decodeBits},
    {"dp2a", "dp2a.{lo,hi}.{u32,s32}.{u32,s32}", "dot product of 2 halves", Pipe::ALU, decodeBits},
    {"vadd", "vadd.dtype.atype.btype{.sat}{.add,.min,.max}, parts of registers", "sum of parts", Pipe::ALU, decodeVideo},
    {"vsub", "vsub.dtype.atype.btype{.sat}{.add,.min,.max}, parts of registers", "difference of parts", Pipe::ALU, decodeVideo},
    {"vabsdiff", "vabsdiff.dtype.atype.btype{.sat}{.add,.min,.max}, parts of registers", "size of the difference of parts", Pipe::ALU, decodeVideo},
    {"vmin", "vmin.dtype.atype.btype{.sat}{.add,.min,.max}, parts of registers", "minimum of parts", Pipe::ALU, decodeVideo},
    {"vmax", "vmax.dtype.atype.btype{.sat}{.add,.min,.max}, parts of registers", "maximum of parts", Pipe::ALU, decodeVideo},
    {"vshl", "vshl.dtype.atype.u32{.sat}.{clamp,wrap}{.add,.min,.max}", "left shift of a part", Pipe::ALU, decodeVideo},
    {"vshr", "vshr.dtype.atype.u32{.sat}.{clamp,wrap}{.add,.min,.max}", "right shift of a part", Pipe::ALU, decodeVideo},
    {"vset", "vset.atype.btype.cmp{.add,.min,.max}", "comparison of parts", Pipe::ALU, decodeVideo},
    {"vmad", "vmad.dtype.atype.btype{.po}{.sat}{.shr7,.shr15}", "product and sum of parts", Pipe::ALU, decodeVideo},
    {"vadd2", "vadd2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vadd4", "vadd4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vsub2", "vsub2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vsub4", "vsub4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vavrg2", "vavrg2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vavrg4", "vavrg4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vabsdiff2", "vabsdiff2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vabsdiff4", "vabsdiff4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vmin2", "vmin2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vmin4", "vmin4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vmax2", "vmax2.dtype.atype.btype{.sat,.add}", "on two halves", Pipe::ALU, decodeVideo},
    {"vmax4", "vmax4.dtype.atype.btype{.sat,.add}", "on four bytes", Pipe::ALU, decodeVideo},
    {"vset2", "vset2.atype.btype.cmp{.add}", "comparison of two halves", Pipe::ALU, decodeVideo},
    {"vset4", "vset4.atype.btype.cmp{.add}", "comparison of four bytes", Pipe::ALU, decodeVideo},
    {"mov", "mov.{pred,b16,b32,b64,...}, packing and unpacking", "move, pack, unpack", Pipe::ALU, decodeMov},
    {"setp", "setp.cmp{.and,.or,.xor}{.ftz}.{int,f32,f64,f16(x2),bf16(x2)}", "comparison to a predicate", Pipe::ALU, decodeSetp},
    {"set", "set.cmp{.and,.or,.xor}{.ftz}.type.type", "comparison to a number", Pipe::ALU, decodeSet},
    {"selp", "selp.type", "selection by a predicate", Pipe::ALU, decodeSelp},
    {"slct", "slct{.ftz}.type.{s32,f32}", "selection by a sign", Pipe::ALU, decodeSlct},
    {"cvt", "cvt{.rnd}{.ftz}{.sat,.satfinite}{.relu}.type.type, cvt.pack", "conversion", Pipe::ALU, decodeCvt},
    {"cvta", "cvta{.to}.space.{u32,u64}", "generic address", Pipe::ALU, decodeCvta},
    {"isspacep", "isspacep.space", "which space an address is in", Pipe::ALU, decodeIsspacep},
    {"ld", "ld{.order}{.space}{.hints}{.v2,.v4,.v8}.type", "load", Pipe::LSU, decodeLoad},
    {"ldu", "ldu{.global}{.v2,.v4}.type", "uniform load", Pipe::LSU, decodeLoad},
    {"st", "st{.order}{.space}{.hints}{.v2,.v4,.v8}.type, st.async", "store", Pipe::LSU, decodeStore},
    {"prefetch", "prefetch{.space}.{L1,L2}, prefetch.tensormap", "hint, no effect", Pipe::LSU, decodePrefetch},
    {"prefetchu", "prefetchu.L1", "hint, no effect", Pipe::LSU, decodePrefetch},
    {"discard", "discard.global.L2", "hint, no effect", Pipe::LSU, decodePrefetch},
    {"applypriority", "applypriority.global.L2::evict_normal", "hint, no effect", Pipe::LSU, decodePrefetch},
    {"createpolicy", "createpolicy.{fractional,range,cvt}.b64", "cache policy (0)", Pipe::ALU, decodePrefetch},
    {"atom", "atom{.order}{.scope}{.space}.{add,min,max,and,or,xor,exch,cas,inc,dec}{.noftz}{.v2,.v4,.v8}.type", "atomic operation", Pipe::LSU, decodeAtom},
    {"red", "red{.order}{.scope}{.space}.{add,min,max,and,or,xor,inc,dec}{.noftz}{.v2,.v4,.v8}.type, red.async", "atomic without result", Pipe::LSU, decodeAtom},
    {"ldmatrix", "ldmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}.shared.b16", "load 8x8 matrices", Pipe::LSU, decodeLdmatrix},
    {"stmatrix", "stmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}.shared.b16", "store 8x8 matrices", Pipe::LSU, decodeStmatrix},
    {"movmatrix", "movmatrix.sync.aligned.m8n8.trans.b16", "transpose an 8x8 matrix", Pipe::ALU, decodeMovmatrix},
    {"mma", "mma{.sp,.sp::ordered_metadata}.sync.aligned.{m8n8k4..m16n8k256}.{row,col}.{row,col}{.satfinite}{.rnd}.{f16,bf16,tf32,f64,s8,u8,s4,u4,b1,e4m3,e5m2}{.xor,.and}.popc", "tensor-core product", Pipe::Tensor, decodeMma},
    {"wmma", "wmma.{load.a,load.b,load.c,store.d,mma}.sync.aligned.{m16n16k16,m8n32k16,m32n8k16,m16n16k8,m8n8k4,m8n8k32,m8n8k128}", "matrices of a warp", Pipe::Tensor, decodeWmma},
    {"bra", "bra{.uni}", "branch", Pipe::Control, decodeBranch},
    {"brx", "brx.idx{.uni}", "branch by table", Pipe::Control, decodeBrx},
    {"call", "call{.uni} of functions defined in the text, by name or through a register, not recursive", "call", Pipe::Control, decodeCall},
    {"alloca", "alloca.{u32,u64}", "local memory, 16 KiB a thread", Pipe::ALU, decodeStack},
    {"stacksave", "stacksave.{u32,u64}", "what alloca has used", Pipe::ALU, decodeStack},
    {"stackrestore", "stackrestore.{u32,u64}", "takes alloca back", Pipe::ALU, decodeStack},
    {"ret", "ret{.uni}", "return", Pipe::Control, decodeReturn},
    {"exit", "exit", "end of a thread", Pipe::Control, decodeReturn},
    {"trap", "trap", "stops with a trap", Pipe::Control, decodeTrap},
    {"brkpt", "brkpt", "stops with a trap", Pipe::Control, decodeTrap},
    {"nanosleep", "nanosleep.u32", "lets other warps run", Pipe::Control, decodeNanosleep},
    {"pmevent", "pmevent{.mask}", "no effect", Pipe::Control, decodeNothing},
    {"griddepcontrol", "griddepcontrol.{launch_dependents,wait}", "no effect in one launch", Pipe::Control, decodeNothing},
    {"bar", "bar{.cta}.{sync,arrive,red}, bar.warp.sync", "barrier", Pipe::Synchronization, decodeBarrier},
    {"barrier", "barrier{.cta}.{sync,arrive,red}{.aligned}, barrier.cluster.{arrive,wait}", "barrier", Pipe::Synchronization, decodeBarrier},
    {"shfl", "shfl.sync.{up,down,bfly,idx}.b32", "exchange between lanes", Pipe::LSU, decodeShuffle},
    {"vote", "vote.sync.{all,any,uni}.pred, vote.sync.ballot.b32", "vote of lanes", Pipe::ALU, decodeVote},
    {"match", "match.sync.{any,all}.{b32,b64}", "lanes with equal values", Pipe::ALU, decodeMatch},
    {"redux", "redux.sync.{add,min,max,and,or,xor}.{u32,s32,b32}", "reduction over lanes", Pipe::ALU, decodeRedux},
    {"elect", "elect.sync", "one lane of a mask", Pipe::ALU, decodeElect},
    {"activemask", "activemask.b32", "lanes that run now", Pipe::ALU, decodeActivemask},
    {"fence", "fence{.sc,.acq_rel,...}.scope, fence.proxy..., fence.mbarrier_init", "memory order", Pipe::Synchronization, decodeFence},
    {"membar", "membar.{cta,gl,sys}, membar.proxy", "memory order", Pipe::Synchronization, decodeFence},
    {"mbarrier", "mbarrier.{init,inval,arrive,arrive_drop,expect_tx,complete_tx,test_wait,try_wait,pending_count}{.expect_tx}{.noComplete}{.parity}{.sem}{.scope}{.space}.b64", "asynchronous barrier", Pipe::Synchronization, decodeMbarrier},
    {"wgmma", "wgmma.mma_async{.sp}.sync.aligned.m64n{8..256}k{8..256}.{f32,f16,s32}.{f16,bf16,tf32,e4m3,e5m2,s8,u8,b1}, wgmma.{fence,commit_group,wait_group}", "warpgroup product", Pipe::Tensor, decodeWgmma},
    {"setmaxnreg", "setmaxnreg.{inc,dec}.sync.aligned.u32", "registers of a warpgroup", Pipe::Control, decodeSetmaxnreg},
    {"mapa", "mapa{.shared::cluster}.{u32,u64}", "address in another block of the cluster", Pipe::ALU, decodeMapa},
    {"getctarank", "getctarank{.shared::cluster}.{u32,u64}", "block of a shared address", Pipe::ALU, decodeGetctarank},
    {"tensormap", "tensormap.replace.tile.field{.space}.b1024.type, tensormap.cp_fenceproxy", "changes a tensor map", Pipe::LSU, decodeTensormap},
    {"cp", "cp.async.{ca,cg}.shared.global, commit_group, wait_group, wait_all, mbarrier.arrive, cp.async.bulk, cp.async.bulk.tensor, cp.reduce.async.bulk(.tensor)", "asynchronous copies", Pipe::Async, decodeCp},
    // clang-format on
};

llvm::ArrayRef<InstructionInfo> napkin::executor::instructionTable() {
  return table;
}

const InstructionInfo *
napkin::executor::findInstruction(llvm::StringRef opcode) {
  static const llvm::StringMap<const InstructionInfo *> index = [] {
    llvm::StringMap<const InstructionInfo *> map;
    for (const InstructionInfo &info : table)
      map[info.opcode] = &info;
    return map;
  }();
  auto found = index.find(opcode);
  return found == index.end() ? nullptr : found->second;
}

const char *napkin::executor::refusal(llvm::StringRef opcode) {
  static const std::pair<const char *, const char *> refused[] = {
      {"tex", "textures need the driver's objects"},
      {"tld4", "textures need the driver's objects"},
      {"txq", "textures need the driver's objects"},
      {"suld", "surfaces need the driver's objects"},
      {"sust", "surfaces need the driver's objects"},
      {"sured", "surfaces need the driver's objects"},
      {"suq", "surfaces need the driver's objects"},
      {"istypep", "textures and surfaces need the driver's objects"},
      {"multimem",
       "its addresses name memory of several GPUs, and there is one"},
      {"tcgen05", "it needs sm_100"},
      {"clusterlaunchcontrol", "it needs sm_100"}};
  for (auto [name, why] : refused)
    if (opcode == name)
      return why;
  return nullptr;
}

std::string napkin::executor::listInstructions(bool markdown) {
  std::string text;
  if (markdown)
    text += "| instruction | forms | meaning | pipe |\n|---|---|---|---|\n";
  for (const InstructionInfo &info : table) {
    if (markdown)
      text += fmt::format("| `{}` | `{}` | {} | {} |\n", info.opcode,
                          info.forms, info.summary, pipeName(info.pipe).str());
    else
      text += fmt::format("{:<14} {}\n{:<14}   {}\n", info.opcode, info.forms,
                          "", info.summary);
  }
  return text;
}
