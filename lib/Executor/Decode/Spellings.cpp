//===- Spellings.cpp - The forms of each instruction -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ptxas 13.0 takes and the manual describes, as data. ptxas reads the
// first words in order, as parts of the instruction's name, the other words in
// any order, and types in order. An opcode without a row is judged by its
// decoder alone.
//
//===----------------------------------------------------------------------===//

#include "Decode/Spellings.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <fmt/format.h>

using namespace napkin::executor;

namespace {

/// One row: names (several opcodes with their first words), then the words
/// that may follow (`word` must stand there, `word?` may, `(a,b)` is one of
/// several) and the types, and from which target and version on.
struct Spelling {
  const char *names, *words, *types;
  const char *target = "", *version = "";
};

/// Lists that rows name.
struct Abbreviation {
  const char *name, *meaning;
};

const Abbreviation abbreviations[] = {
    // clang-format off
    {"INT", "u16,u32,u64,s16,s32,s64"},
    {"SMALL", "u8,u16,u32,u64,s8,s16,s32,s64"},
    {"MEM", "b8,b16,b32,b64,b128,u8,u16,u32,u64,s8,s16,s32,s64,f32,f64"},
    {"RND", "rn,rz,rm,rp"},
    {"IRND", "rni,rzi,rmi,rpi"},
    {"BOOL", "and,or,xor"},
    {"FCMP", "eq,ne,lt,le,gt,ge,equ,neu,ltu,leu,gtu,geu,num,nan"},
    {"VEC", "v2,v4,v8"},
    {"SCOPE", "cta,cluster,gpu,sys"},
    {"ORDER", "relaxed,acquire,release,acq_rel"},
    {"RORDER", "relaxed,release"},
    {"ASPACE", "global,shared,shared::cta,shared::cluster"},
    {"MSPACE", "shared,shared::cta"},
    {"RANK", "1d,2d,3d,4d,5d"},
    // What is refused by name is a mode too.
    {"LOADMODE", "tile,im2col,im2col::w,im2col::w::128,tile::gather4"},
    {"STOREMODE", "tile,im2col_no_offs,tile::scatter4"},
    {"PAIR", "cta_group::1,cta_group::2"},
    {"PFT", "L2::64B,L2::128B,L2::256B"},
    {"EV1", "L1::evict_normal,L1::evict_unchanged,L1::evict_first,L1::evict_last,L1::no_allocate"},
    {"EV2", "L2::evict_normal,L2::evict_first,L2::evict_last"},
    {"HINT", "L2::cache_hint"},
    // clang-format on
};

const Spelling spellings[] = {
    // clang-format off
    {"add", "", "u16,u32,u64,s16,s64"},
    {"add", "sat?", "s32"},
    {"add", "", "u16x2,s16x2", "sm_90", "8.0"},
    {"add", "RND? ftz? sat?", "f32"},
    {"add", "RND?", "f64"},
    {"add", "rn? ftz? sat?", "f16,f16x2"},
    {"add", "rn?", "bf16,bf16x2", "sm_90", "7.8"},
    {"add", "cc", "u32,s32,u64,s64"},
    {"sub", "", "u16,u32,u64,s16,s64"},
    {"sub", "sat?", "s32"},
    {"sub", "RND? ftz? sat?", "f32"},
    {"sub", "RND?", "f64"},
    {"sub", "rn? ftz? sat?", "f16,f16x2"},
    {"sub", "rn?", "bf16,bf16x2", "sm_90", "7.8"},
    {"sub", "cc", "u32,s32,u64,s64"},
    {"addc subc", "cc?", "u32,s32,u64,s64"},
    {"mul.lo mul.hi", "", "INT"},
    {"mul.wide", "", "u16,s16,u32,s32"},
    {"mul", "RND? ftz? sat?", "f32"},
    {"mul", "RND?", "f64"},
    {"mul", "rn? ftz? sat?", "f16,f16x2"},
    {"mul", "rn?", "bf16,bf16x2", "sm_90", "7.8"},
    {"mul24.lo mul24.hi", "", "u32,s32"},
    {"mad.lo", "", "INT"},
    {"mad.lo mad.hi", "cc", "u32,s32,u64,s64"},
    {"mad.hi", "", "u16,u32,u64,s16,s64"},
    {"mad.hi", "sat?", "s32"},
    {"mad.wide", "", "u16,s16,u32,s32"},
    {"mad", "RND ftz? sat?", "f32"},
    {"mad", "RND", "f64"},
    {"madc.lo madc.hi", "cc?", "u32,s32,u64,s64"},
    {"mad24.lo", "", "u32,s32"},
    {"mad24.hi", "sat?", "s32"},
    {"mad24.hi", "", "u32"},
    {"fma", "RND ftz? sat?", "f32"},
    {"fma", "RND", "f64"},
    {"fma", "rn ftz? sat?", "f16,f16x2"},
    {"fma", "rn ftz? relu", "f16,f16x2", "sm_80", "7.0"},
    {"fma", "rn relu?", "bf16,bf16x2", "sm_80", "7.0"},
    {"fma", "rn oob relu?", "f16,f16x2,bf16,bf16x2", "sm_90", "8.1"},
    {"sad rem", "", "INT"},
    {"div", "", "INT"},
    {"div", "approx ftz?", "f32"},
    {"div.full", "ftz?", "f32"},
    {"div", "RND ftz?", "f32"},
    {"div", "RND", "f64"},
    {"min max", "", "u16,u32,u64,s16,s64"},
    {"min max", "", "s32"},
    {"min max", "relu", "s32", "sm_90", "8.0"},
    {"min max", "relu?", "s16x2", "sm_90", "8.0"},
    {"min max", "", "u16x2", "sm_90", "8.0"},
    {"min max", "ftz?", "f32"},
    {"min max", "ftz? NaN", "f32", "sm_80", "7.0"},
    {"min max", "ftz? NaN? xorsign abs", "f32", "sm_86", "7.2"},
    {"min max", "", "f64"},
    {"min max", "ftz? NaN?", "f16,f16x2", "sm_80", "7.0"},
    {"min max", "ftz? NaN? xorsign abs", "f16,f16x2", "sm_86", "7.2"},
    {"min max", "NaN?", "bf16,bf16x2", "sm_80", "7.0"},
    {"min max", "NaN? xorsign abs", "bf16,bf16x2", "sm_86", "7.2"},
    {"abs", "", "s16,s32,s64,f64"},
    {"abs", "ftz?", "f32,f16,f16x2"},
    {"abs", "", "bf16,bf16x2", "sm_80", "7.0"},
    {"neg", "", "s16,s32,s64,f64"},
    {"neg", "ftz?", "f32,f16,f16x2"},
    {"neg", "", "bf16,bf16x2", "sm_80", "7.0"},
    {"rcp sqrt", "(approx,rn,rz,rm,rp) ftz?", "f32"},
    {"rcp", "approx ftz", "f64"},
    {"rcp sqrt", "RND", "f64"},
    {"rsqrt", "approx ftz?", "f32"},
    {"rsqrt", "approx ftz?", "f64"},
    {"sin cos lg2", "approx ftz?", "f32"},
    {"ex2", "approx ftz?", "f32"},
    {"ex2", "approx", "f16,f16x2", "sm_75", "7.0"},
    {"ex2", "approx ftz", "bf16,bf16x2", "sm_90", "7.8"},
    {"tanh", "approx", "f32,f16,f16x2", "sm_75", "7.0"},
    {"tanh", "approx", "bf16,bf16x2", "sm_90", "7.8"},
    {"copysign", "", "f32,f64"},
    {"testp", "(finite,infinite,number,notanumber,normal,subnormal)", "f32,f64"},
    {"and or xor not", "", "pred,b16,b32,b64"},
    {"cnot shl", "", "b16,b32,b64"},
    {"shr", "", "INT,b16,b32,b64"},
    {"lop3", "", "b32"},
    {"lop3", "(or,and)", "b32", "sm_70", "8.2"},
    {"shf.l shf.r", "(wrap,clamp)", "b32"},
    {"popc clz brev bfi", "", "b32,b64"},
    {"bfind", "shiftamt?", "u32,s32,u64,s64"},
    {"bfe", "", "u32,s32,u64,s64"},
    {"bmsk", "(clamp,wrap)", "b32", "sm_70", "7.6"},
    {"szext", "(clamp,wrap)", "u32,s32", "sm_70", "7.6"},
    {"prmt", "(f4e,b4e,rc8,ecl,ecr,rc16)?", "b32"},
    {"fns", "", "b32"},
    {"dp4a", "", "u32,s32 u32,s32"},
    {"dp2a.lo dp2a.hi", "", "u32,s32 u32,s32"},
    {"mov", "", "pred,b16,b32,b64,u16,u32,u64,s16,s32,s64,f32,f64"},
    {"mov", "", "b128", "sm_70", "8.3"},
    {"selp", "", "b16,b32,b64,u16,u32,u64,s16,s32,s64,f32,f64"},
    {"slct", "", "b16,b32,b64,INT,f32,f64 s32"},
    {"slct", "ftz?", "b16,b32,b64,INT,f32,f64 f32"},
    {"setp", "(eq,ne,lt,le,gt,ge) BOOL?", "INT"},
    {"setp", "(lo,ls,hi,hs) BOOL?", "u16,u32,u64"},
    {"setp", "(eq,ne) BOOL?", "b16,b32,b64"},
    {"setp", "FCMP BOOL? ftz?", "f32"},
    {"setp", "FCMP BOOL?", "f64"},
    {"setp", "FCMP BOOL? ftz?", "f16,f16x2"},
    {"setp", "FCMP BOOL?", "bf16,bf16x2", "sm_90", "7.8"},
    {"set", "(eq,ne,lt,le,gt,ge) BOOL?", "u32,s32,f32 INT"},
    {"set", "(lo,ls,hi,hs) BOOL?", "u32,s32,f32 u16,u32,u64"},
    {"set", "(eq,ne) BOOL?", "u32,s32,f32 b16,b32,b64"},
    {"set", "FCMP BOOL? ftz?", "u32,s32,f32 f32"},
    {"set", "FCMP BOOL?", "u32,s32,f32 f64"},
    {"set", "FCMP BOOL? ftz?", "f16,u16,s16,u32,s32 f16"},
    {"set", "FCMP BOOL? ftz?", "f16x2,u32,s32 f16x2"},
    {"set", "FCMP BOOL?", "bf16,u16,s16,u32,s32 bf16", "sm_90", "7.8"},
    {"set", "FCMP BOOL?", "bf16x2,u32,s32 bf16x2", "sm_90", "7.8"},
    {"cvta", "(global,shared,local,const)", "u64"},
    {"cvta", "(shared::cta,shared::cluster)", "u64", "sm_70", "7.8"},
    {"cvta", "param", "u64", "sm_70", "7.7"},
    {"cvta", "param::entry", "u64", "sm_70", "8.3"},
    {"cvta.to", "(global,shared,local,const)", "u64"},
    {"cvta.to", "(shared::cta,shared::cluster)", "u64", "sm_70", "7.8"},
    {"cvta.to", "param", "u64", "sm_70", "7.7"},
    {"cvta.to", "param::entry", "u64", "sm_70", "8.3"},
    {"isspacep", "(global,shared,local,const)", ""},
    {"isspacep", "param", "", "sm_70", "7.7"},
    {"isspacep", "param::entry", "", "sm_70", "8.3"},
    {"isspacep", "shared::cta", "", "sm_70", "7.8"},
    {"isspacep", "shared::cluster", "", "sm_90", "7.8"},
    {"bra", "uni?", ""},
    {"brx.idx", "uni?", ""},
    {"ret exit trap brkpt", "", ""},
    {"ret", "uni", ""},
    {"call", "uni?", ""},
    {"nanosleep", "", "u32", "sm_70", "6.2"},
    {"griddepcontrol", "(launch_dependents,wait)", "", "sm_90", "7.8"},
    {"pmevent", "mask?", ""},
    {"activemask", "", "b32", "sm_70", "6.2"},
    {"elect", "sync", "", "sm_90", "8.0"},
    {"shfl", "sync (up,down,bfly,idx)", "b32"},
    {"vote", "sync (all,any,uni)", "pred"},
    {"vote", "sync ballot", "b32"},
    {"match", "sync (any,all)", "b32,b64"},
    {"redux", "sync (add,min,max)", "u32,s32", "sm_80", "7.0"},
    {"redux", "sync (and,or,xor)", "b32", "sm_80", "7.0"},
    {"bar.warp.sync", "", ""},
    {"bar.sync bar.arrive bar.cta.sync bar.cta.arrive", "", ""},
    {"bar.red bar.cta.red", "popc", "u32"},
    {"bar.red bar.cta.red", "(and,or)", "pred"},
    {"barrier.sync barrier.arrive barrier.cta.sync barrier.cta.arrive", "aligned?", ""},
    {"barrier.aligned.sync barrier.cta.aligned.sync", "", ""},
    {"barrier.red barrier.cta.red", "popc aligned?", "u32"},
    {"barrier.red barrier.cta.red", "(and,or) aligned?", "pred"},
    {"barrier.cluster.arrive", "aligned?", "", "sm_90", "7.8"},
    {"barrier.cluster.arrive", "(release,relaxed) aligned?", "", "sm_90", "8.0"},
    {"barrier.cluster.wait", "aligned?", "", "sm_90", "7.8"},
    {"barrier.cluster.wait", "acquire aligned?", "", "sm_90", "8.0"},
    {"membar", "(cta,gl,sys)", ""},
    {"membar.proxy", "alias", "", "sm_70", "7.5"},
    {"fence", "(sc,acq_rel)? (cta,gpu,sys)", ""},
    {"fence", "(sc,acq_rel)? cluster", "", "sm_90", "7.8"},
    {"fence", "(acquire,release) (cta,cluster,gpu,sys)", "", "sm_90", "8.6"},
    {"fence", "acquire sync_restrict::shared::cluster cluster", "", "sm_90", "8.6"},
    {"fence", "release sync_restrict::shared::cta cluster", "", "sm_90", "8.6"},
    {"fence.mbarrier_init", "release cluster", "", "sm_90", "8.0"},
    {"fence.proxy", "alias", "", "sm_70", "7.5"},
    {"fence.proxy", "async (global,shared::cta,shared::cluster)?", "", "sm_90", "8.0"},
    {"fence.proxy", "tensormap::generic (acquire,release) (cta,cluster,gpu,sys)", "", "sm_90", "8.3"},
    {"fence.proxy", "async::generic acquire sync_restrict::shared::cluster cluster", "", "sm_90", "8.6"},
    {"fence.proxy", "async::generic release sync_restrict::shared::cta cluster", "", "sm_90", "8.6"},
    {"mapa", "shared::cluster?", "u32,u64", "sm_90", "7.8"},
    {"getctarank", "shared::cluster?", "u32,u64", "sm_90", "7.8"},
    {"alloca stacksave stackrestore", "", "u32,u64", "sm_70", "7.3"},
    {"setmaxnreg.inc setmaxnreg.dec", "sync aligned", "u32", "sm_90a", "8.0"},
    {"prefetch", "(global,local)? (L1,L2)", ""},
    {"prefetch", "global? (L2::evict_last,L2::evict_normal)", "", "sm_80", "7.4"},
    {"prefetch", "(const,param)? tensormap", "", "sm_90", "8.0"},
    {"prefetchu", "L1", ""},
    {"discard", "global? L2", "", "sm_80", "7.4"},
    {"applypriority", "global? L2::evict_normal", "", "sm_80", "7.4"},
    {"createpolicy.fractional", "(L2::evict_last,L2::evict_normal,L2::evict_first,L2::evict_unchanged) (L2::evict_first,L2::evict_unchanged)?", "b64", "sm_80", "7.4"},
    {"createpolicy.range", "global? (L2::evict_last,L2::evict_normal,L2::evict_first,L2::evict_unchanged) (L2::evict_first,L2::evict_unchanged)?", "b64", "sm_80", "7.4"},
    {"createpolicy.cvt", "L2", "b64", "sm_80", "7.4"},
    {"ld", "weak? (local,shared,const,shared::cta,shared::cluster) (ca,cg,cs,lu,cv)? VEC?", "MEM"},
    {"ld", "weak? (param,param::entry,param::func) (ca,cg,cs,lu,cv)? VEC?", "MEM"},
    {"ld", "weak? global? EV1? HINT? PFT? VEC? unified?", "MEM"},
    {"ld", "weak? global? (ca,cg,cs,lu,cv)? HINT? PFT? VEC? unified?", "MEM"},
    {"ld", "volatile (shared,shared::cta,shared::cluster) VEC?", "MEM"},
    {"ld", "volatile global? PFT? VEC?", "MEM"},
    {"ld", "(relaxed,acquire) SCOPE (shared,shared::cta,shared::cluster) VEC?", "MEM"},
    {"ld", "(relaxed,acquire) SCOPE global? EV1? HINT? PFT? VEC? unified?", "MEM"},
    {"ld", "mmio relaxed sys global?", "MEM", "sm_70", "8.2"},
    {"ld", "global (ca,cg,cs)? nc HINT? PFT? VEC?", "MEM"},
    {"ld", "global nc EV1? HINT? PFT? VEC?", "MEM"},
    {"ldu", "global? VEC?", "MEM"},
    {"st", "weak? (local,shared,shared::cta,shared::cluster) (wb,cg,cs,wt)? VEC?", "MEM"},
    {"st", "weak? (param,param::func) VEC?", "MEM"},
    {"st", "weak? global? EV1? HINT? VEC?", "MEM"},
    {"st", "weak? global? (wb,cg,cs,wt)? HINT? VEC?", "MEM"},
    {"st", "volatile (global,shared,shared::cta,shared::cluster)? VEC?", "MEM"},
    {"st", "(relaxed,release) SCOPE (global,shared,shared::cta,shared::cluster)? EV1? HINT? VEC?", "MEM"},
    {"st", "mmio relaxed sys global?", "MEM", "sm_70", "8.2"},
    {"st.async", "weak? mbarrier::complete_tx::bytes (shared::cluster)? (v2,v4)?", "b32,u32,s32,f32,b64,u64,s64,f64", "sm_90", "8.1"},
    {"atom", "ORDER? SCOPE? ASPACE? add HINT?", "u32,u64,s32,f32,f64"},
    {"red", "RORDER? SCOPE? ASPACE? add HINT?", "u32,u64,s32,f32,f64"},
    {"atom", "ORDER? SCOPE? ASPACE? add noftz HINT?", "f16,f16x2", "sm_70", "6.3"},
    {"red", "RORDER? SCOPE? ASPACE? add noftz HINT?", "f16,f16x2", "sm_70", "6.3"},
    {"atom", "ORDER? SCOPE? ASPACE? add noftz HINT?", "bf16,bf16x2", "sm_90", "7.8"},
    {"red", "RORDER? SCOPE? ASPACE? add noftz HINT?", "bf16,bf16x2", "sm_90", "7.8"},
    {"atom", "ORDER? SCOPE? ASPACE? (min,max) HINT?", "u32,u64,s32,s64"},
    {"red", "RORDER? SCOPE? ASPACE? (min,max) HINT?", "u32,u64,s32,s64"},
    {"atom", "ORDER? SCOPE? ASPACE? (and,or,xor) HINT?", "b32,b64"},
    {"red", "RORDER? SCOPE? ASPACE? (and,or,xor) HINT?", "b32,b64"},
    {"atom", "ORDER? SCOPE? ASPACE? (inc,dec) HINT?", "u32"},
    {"red", "RORDER? SCOPE? ASPACE? (inc,dec) HINT?", "u32"},
    {"atom", "ORDER? SCOPE? ASPACE? exch HINT?", "b32,b64"},
    {"atom", "ORDER? SCOPE? ASPACE? cas HINT?", "b32,b64"},
    {"atom", "ORDER? SCOPE? ASPACE? cas HINT?", "b16", "sm_70", "6.3"},
    {"atom", "ORDER? SCOPE? ASPACE? (exch,cas)", "b128", "sm_90", "8.3"},
    {"atom", "ORDER? SCOPE? global? add (v2,v4)? HINT?", "f32", "sm_90", "8.1"},
    {"red", "RORDER? SCOPE? global? add (v2,v4)? HINT?", "f32", "sm_90", "8.1"},
    {"atom", "ORDER? SCOPE? global? (add,min,max) noftz (v2,v4,v8)? HINT?", "f16,bf16", "sm_90", "8.1"},
    {"red", "RORDER? SCOPE? global? (add,min,max) noftz (v2,v4,v8)? HINT?", "f16,bf16", "sm_90", "8.1"},
    {"atom", "ORDER? SCOPE? global? (add,min,max) noftz (v2,v4)? HINT?", "f16x2,bf16x2", "sm_90", "8.1"},
    {"red", "RORDER? SCOPE? global? (add,min,max) noftz (v2,v4)? HINT?", "f16x2,bf16x2", "sm_90", "8.1"},
    {"red.async", "relaxed cluster mbarrier::complete_tx::bytes shared::cluster? (inc,dec)", "u32", "sm_90", "8.1"},
    {"red.async", "relaxed cluster mbarrier::complete_tx::bytes shared::cluster? (min,max)", "u32,s32", "sm_90", "8.1"},
    {"red.async", "relaxed cluster mbarrier::complete_tx::bytes shared::cluster? (and,or,xor)", "b32", "sm_90", "8.1"},
    {"red.async", "relaxed cluster mbarrier::complete_tx::bytes shared::cluster? add", "u32,s32,u64", "sm_90", "8.1"},
    {"cvt", "", "SMALL SMALL"},
    {"cvt", "sat", "u8 u16,u32,u64,s8,s16,s32,s64"},
    {"cvt", "sat", "s8 u8,u16,u32,u64,s16,s32,s64"},
    {"cvt", "sat", "u16 u32,u64,s8,s16,s32,s64"},
    {"cvt", "sat", "s16 u16,u32,u64,s32,s64"},
    {"cvt", "sat", "u32 u64,s8,s16,s32,s64"},
    {"cvt", "sat", "s32 u32,u64,s64"},
    {"cvt", "sat", "u64 s8,s16,s32,s64"},
    {"cvt", "sat", "s64 u64"},
    {"cvt", "IRND ftz? sat?", "SMALL f32"},
    {"cvt", "IRND sat?", "SMALL f16,f64"},
    {"cvt", "IRND sat?", "SMALL bf16", "sm_90", "7.8"},
    {"cvt", "RND sat?", "f16,f32,f64 SMALL"},
    {"cvt", "RND sat? ftz?", "f32 SMALL"},
    {"cvt", "RND", "bf16 SMALL", "sm_90", "7.8"},
    {"cvt", "sat?", "f64 f64"},
    {"cvt", "IRND sat?", "f64 f64"},
    {"cvt", "ftz? sat?", "f32 f32"},
    {"cvt", "IRND ftz? sat?", "f32 f32"},
    {"cvt", "sat?", "f16 f16"},
    {"cvt", "IRND sat?", "f16 f16"},
    {"cvt", "ftz? sat?", "f32 f16"},
    {"cvt", "sat?", "f64 f16"},
    {"cvt", "ftz? sat?", "f64 f32"},
    {"cvt", "", "f32 bf16", "sm_80", "7.1"},
    {"cvt", "ftz", "f32 bf16", "sm_90", "7.8"},
    {"cvt", "sat?", "f64 bf16", "sm_90", "7.8"},
    {"cvt", "RND ftz? sat?", "f32 f64"},
    {"cvt", "RND ftz? sat?", "f16 f32"},
    {"cvt", "RND sat?", "f16 f64"},
    {"cvt", "(rn,rz) relu?", "f16 f32", "sm_80", "7.0"},
    {"cvt", "(rn,rz) satfinite", "f16 f32", "sm_70", "8.1"},
    {"cvt", "(rn,rz) relu satfinite", "f16 f32", "sm_80", "8.1"},
    {"cvt", "(rn,rz,rm,rp) ftz?", "bf16 f32", "sm_80", "7.0"},
    {"cvt", "(rn,rz) relu?", "bf16 f32", "sm_80", "7.0"},
    {"cvt", "(rn,rz) relu? satfinite", "bf16 f32", "sm_80", "8.1"},
    {"cvt", "(rn,rz,rm,rp)", "bf16 f64,f16,bf16", "sm_90", "7.8"},
    {"cvt", "IRND", "bf16 bf16", "sm_90", "7.8"},
    {"cvt", "(rn,rz,rm,rp)", "f16 bf16", "sm_90", "7.8"},
    {"cvt", "(rn,rz) relu? satfinite?", "f16x2,bf16x2 f32", "sm_80", "7.0"},
    {"cvt", "rna", "tf32 f32", "sm_80", "7.0"},
    {"cvt", "rna satfinite", "tf32 f32", "sm_80", "8.1"},
    {"cvt", "(rn,rz) relu?", "tf32 f32", "sm_90", "7.8"},
    {"cvt", "(rn,rz) relu? satfinite", "tf32 f32", "sm_90", "8.6"},
    {"cvt", "rn satfinite relu?", "e4m3x2,e5m2x2 f32,f16x2", "sm_90", "7.8"},
    {"cvt", "rn relu?", "f16x2 e4m3x2,e5m2x2", "sm_90", "7.8"},
    {"cvt", "rn satfinite relu?", "e4m3x2,e5m2x2 f32,f16x2", "sm_89", "8.1"},
    {"cvt", "rn relu?", "f16x2 e4m3x2,e5m2x2", "sm_89", "8.1"},
    {"cvt.pack", "sat", "u16,s16 s32", "sm_72", "6.5"},
    {"cvt.pack", "sat", "u8,s8 s32 b32", "sm_72", "6.5"},
    {"cvt.pack", "sat", "u4,s4,u2,s2 s32 b32", "sm_75", "6.5"},
    {"cp.async", "(ca,cg) MSPACE global HINT? PFT?", ""},
    {"cp.async.commit_group cp.async.wait_group cp.async.wait_all", "", ""},
    {"cp.async.mbarrier.arrive", "noinc? MSPACE?", "b64"},
    {"cp.async.bulk.commit_group", "", ""},
    {"cp.async.bulk.wait_group", "read?", ""},
    {"cp.async.bulk", "shared::cluster global mbarrier::complete_tx::bytes multicast::cluster? HINT?", ""},
    {"cp.async.bulk", "shared::cta global mbarrier::complete_tx::bytes HINT?", ""},
    {"cp.async.bulk", "shared::cluster shared::cta mbarrier::complete_tx::bytes", ""},
    {"cp.async.bulk", "global shared::cta bulk_group HINT?", ""},
    {"cp.async.bulk.prefetch", "L2 global HINT?", ""},
    {"cp.async.bulk.tensor", "RANK shared::cluster global LOADMODE? mbarrier::complete_tx::bytes multicast::cluster? PAIR? HINT?", ""},
    {"cp.async.bulk.tensor", "RANK shared::cta global LOADMODE? mbarrier::complete_tx::bytes PAIR? HINT?", ""},
    {"cp.async.bulk.tensor", "RANK global shared::cta STOREMODE? bulk_group HINT?", ""},
    {"cp.async.bulk.prefetch.tensor", "RANK L2 global LOADMODE? HINT?", ""},
    {"cp.reduce.async.bulk.tensor", "RANK global shared::cta (add,min,max,inc,dec,and,or,xor) STOREMODE? bulk_group HINT?", ""},
    {"cp.reduce.async.bulk", "shared::cluster shared::cta mbarrier::complete_tx::bytes (and,or,xor)", "b32"},
    {"cp.reduce.async.bulk", "shared::cluster shared::cta mbarrier::complete_tx::bytes add", "u32,s32,u64"},
    {"cp.reduce.async.bulk", "shared::cluster shared::cta mbarrier::complete_tx::bytes (inc,dec)", "u32"},
    {"cp.reduce.async.bulk", "shared::cluster shared::cta mbarrier::complete_tx::bytes (min,max)", "u32,s32"},
    {"cp.reduce.async.bulk", "global shared::cta bulk_group HINT? (and,or,xor)", "b32,b64"},
    {"cp.reduce.async.bulk", "global shared::cta bulk_group HINT? add", "u32,s32,u64,f32,f64"},
    {"cp.reduce.async.bulk", "global shared::cta bulk_group HINT? add noftz", "f16,bf16"},
    {"cp.reduce.async.bulk", "global shared::cta bulk_group HINT? (inc,dec)", "u32"},
    {"cp.reduce.async.bulk", "global shared::cta bulk_group HINT? (min,max)", "u32,s32,u64,s64,f16,bf16"},
    {"tensormap.replace", "tile (rank,box_dim,global_dim,element_stride,elemtype,interleave_layout,swizzle_mode,fill_mode) (global,shared::cta)? b1024", "b32", "sm_90a", "8.3"},
    {"tensormap.replace", "tile (global_address,global_stride) (global,shared::cta)? b1024", "b64", "sm_90a", "8.3"},
    {"tensormap.cp_fenceproxy.global.shared::cta", "tensormap::generic release (cta,cluster,gpu,sys) sync aligned", ""},
    {"mbarrier.init mbarrier.inval", "MSPACE?", "b64", "sm_80", "7.0"},
    {"mbarrier.arrive mbarrier.arrive_drop", "MSPACE?", "b64", "sm_80", "7.0"},
    {"mbarrier.arrive mbarrier.arrive_drop", "(release,relaxed) (cta,cluster) MSPACE?", "b64", "sm_80", "8.0"},
    {"mbarrier.arrive mbarrier.arrive_drop", "noComplete MSPACE?", "b64", "sm_80", "7.0"},
    {"mbarrier.arrive mbarrier.arrive_drop", "noComplete release cta MSPACE?", "b64", "sm_80", "7.0"},
    {"mbarrier.arrive mbarrier.arrive_drop mbarrier.arrive.expect_tx mbarrier.arrive_drop.expect_tx", "(release,relaxed) (cta,cluster) (shared,shared::cta,shared::cluster)?", "b64", "sm_90", "8.0"},
    {"mbarrier.arrive mbarrier.arrive_drop mbarrier.arrive.expect_tx mbarrier.arrive_drop.expect_tx", "(shared,shared::cta,shared::cluster)?", "b64", "sm_90", "8.0"},
    {"mbarrier.expect_tx mbarrier.complete_tx", "relaxed (cta,cluster) (shared,shared::cta,shared::cluster)?", "b64", "sm_90", "8.0"},
    {"mbarrier.expect_tx mbarrier.complete_tx", "(shared,shared::cta,shared::cluster)?", "b64", "sm_90", "8.0"},
    {"mbarrier.pending_count", "", "b64", "sm_80", "7.0"},
    {"mbarrier.test_wait", "MSPACE?", "b64", "sm_80", "7.0"},
    {"mbarrier.test_wait.parity", "MSPACE?", "b64", "sm_80", "7.1"},
    {"mbarrier.test_wait mbarrier.test_wait.parity", "(acquire,relaxed) (cta,cluster) MSPACE?", "b64", "sm_80", "8.0"},
    {"mbarrier.try_wait mbarrier.try_wait.parity", "MSPACE?", "b64", "sm_90", "7.8"},
    {"mbarrier.try_wait mbarrier.try_wait.parity", "(acquire,relaxed) (cta,cluster) MSPACE?", "b64", "sm_90", "8.0"},
    {"ld", "weak? global? EV1? EV2? HINT? PFT? nc? v8", "b32,u32,s32,f32", "sm_100", "8.8"},
    {"ld", "weak? global? EV1? EV2? HINT? PFT? nc? v4", "b64,u64,s64,f64", "sm_100", "8.8"},
    {"st", "weak? global? EV1? EV2? HINT? v8", "b32,u32,s32,f32", "sm_100", "8.8"},
    {"st", "weak? global? EV1? EV2? HINT? v4", "b64,u64,s64,f64", "sm_100", "8.8"},
    // clang-format on
};

/// A row taken apart.
struct Form {
  llvm::SmallVector<llvm::StringRef, 3> head;
  struct Word {
    bool isOptional;
    llvm::SmallVector<llvm::StringRef, 4> names;
  };
  llvm::SmallVector<Word, 6> words;
  llvm::SmallVector<llvm::SmallVector<llvm::StringRef, 8>, 3> types;
  const Spelling *row;
};

void splitList(llvm::StringRef text,
               llvm::SmallVectorImpl<llvm::StringRef> &to) {
  llvm::SmallVector<llvm::StringRef, 8> parts;
  text.split(parts, ',', -1, false);
  for (llvm::StringRef part : parts) {
    const auto *known = llvm::find_if(
        abbreviations, [&](const auto &a) { return part == a.name; });
    if (known == std::end(abbreviations))
      to.push_back(part);
    else
      splitList(known->meaning, to);
  }
}

/// The forms by opcode.
llvm::StringMap<std::vector<Form>> takeApart() {
  llvm::StringMap<std::vector<Form>> forms;
  for (const Spelling &row : spellings) {
    Form form;
    form.row = &row;
    llvm::SmallVector<llvm::StringRef, 8> parts;
    llvm::StringRef(row.words).split(parts, ' ', -1, false);
    for (llvm::StringRef part : parts) {
      Form::Word word;
      word.isOptional = part.consume_back("?");
      part.consume_front("(");
      part.consume_back(")");
      splitList(part, word.names);
      form.words.push_back(std::move(word));
    }
    parts.clear();
    llvm::StringRef(row.types).split(parts, ' ', -1, false);
    for (llvm::StringRef part : parts)
      splitList(part, form.types.emplace_back());
    llvm::SmallVector<llvm::StringRef, 8> names;
    llvm::StringRef(row.names).split(names, ' ', -1, false);
    for (llvm::StringRef name : names) {
      form.head.clear();
      auto [opcode, head] = name.split('.');
      head.split(form.head, '.', -1, false);
      forms[opcode].push_back(form);
    }
  }
  return forms;
}

bool isType(llvm::StringRef modifier) {
  return napkin::ptx::matrixTypeFromName(modifier) != napkin::ptx::Type::None ||
         modifier == "u2" || modifier == "s2";
}

bool matches(const Form &form, llvm::ArrayRef<llvm::StringRef> given) {
  llvm::SmallVector<llvm::StringRef, 8> modifiers;
  for (size_t k = 0; k < given.size(); ++k)
    if (!isRepetition(given, k))
      modifiers.push_back(given[k]);
  if (modifiers.size() < form.head.size() ||
      !std::equal(form.head.begin(), form.head.end(), modifiers.begin()))
    return false;
  size_t type = 0;
  llvm::SmallVector<bool, 8> used(form.words.size(), false);
  for (llvm::StringRef modifier :
       llvm::drop_begin(modifiers, form.head.size())) {
    if (isType(modifier)) {
      if (type == form.types.size() ||
          !llvm::is_contained(form.types[type++], modifier))
        return false;
      continue;
    }
    size_t word = 0;
    while (
        word < used.size() &&
        (used[word] || !llvm::is_contained(form.words[word].names, modifier)))
      ++word;
    if (word == used.size())
      return false;
    used[word] = true;
  }
  for (size_t word = 0; word < used.size(); ++word)
    if (!used[word] && !form.words[word].isOptional)
      return false;
  return type == form.types.size();
}

} // namespace

/// "sin.approx" forms as a message shows them: "sin approx ftz? f32".
static std::string shown(llvm::StringRef opcode, const Form &form) {
  std::string text = opcode.str();
  for (llvm::StringRef word : form.head)
    text += "." + word.str();
  auto add = [&](llvm::ArrayRef<llvm::StringRef> names, bool isOptional) {
    bool several = names.size() > 1;
    text += fmt::format(" {}{}{}{}", several ? "(" : "", llvm::join(names, ","),
                        several ? ")" : "", isOptional ? "?" : "");
  };
  for (const Form::Word &word : form.words)
    add(word.names, word.isOptional);
  for (const auto &types : form.types)
    add(types, false);
  return text;
}

/// Whether some form has the word or type `modifier`.
static bool isKnown(llvm::ArrayRef<Form> forms, llvm::StringRef modifier) {
  return llvm::any_of(forms, [&](const Form &form) {
    return llvm::is_contained(form.head, modifier) ||
           llvm::any_of(form.words,
                        [&](const Form::Word &word) {
                          return llvm::is_contained(word.names, modifier);
                        }) ||
           llvm::any_of(form.types, [&](const auto &types) {
             return llvm::is_contained(types, modifier);
           });
  });
}

/// What the rows of its opcode say of the instruction; "" if one fits.
static std::string checkForms(const napkin::ptx::Module &module,
                              const napkin::ptx::Instruction &instruction,
                              const std::vector<Form> &forms) {
  std::string unmet;
  for (const Form &form : forms) {
    if (!matches(form, instruction.modifiers))
      continue;
    if (!*form.row->target)
      return "";
    unmet = unmetNeed(module, form.row->target, form.row->version);
    if (unmet.empty())
      return "";
  }
  if (!unmet.empty())
    return "this instruction " + unmet;
  for (llvm::StringRef modifier : instruction.modifiers)
    if (!isKnown(forms, modifier))
      return fmt::format("'.{}' is no modifier of '{}'", modifier.str(),
                         instruction.opcode.str());
  std::string known;
  for (const Form &form : forms)
    if (known.size() < 240)
      known += (known.empty() ? "" : "; ") + shown(instruction.opcode, form);
  return fmt::format("'{}' has no form with these modifiers and types; forms "
                     "(? may be missing, one of those in parentheses): {}",
                     instruction.opcode.str(), known);
}

bool napkin::executor::isRepetition(llvm::ArrayRef<llvm::StringRef> modifiers,
                                    size_t position) {
  static const llvm::StringRef flags[] = {"sync",     "sat",  "satfinite",
                                          "approx",   "relu", "NaN",
                                          "shiftamt", "uni",  "cc"};
  llvm::StringRef modifier = modifiers[position];
  return llvm::is_contained(modifiers.take_front(position), modifier) &&
         llvm::is_contained(flags, modifier);
}

/// The names of instructions whose other words the decoders judge: they stand
/// in front, in order, and nowhere else.
static const llvm::StringRef names[] = {
    "wgmma.fence",     "wgmma.commit_group", "wgmma.wait_group",
    "wgmma.mma_async", "wmma.load.a",        "wmma.load.b",
    "wmma.load.c",     "wmma.store.d",       "wmma.mma"};

/// "" if the instruction begins with its name, or its opcode has none here.
static std::string checkName(const napkin::ptx::Instruction &instruction) {
  bool isKnown = false;
  std::string known;
  for (llvm::StringRef name : names) {
    llvm::SmallVector<llvm::StringRef, 3> words;
    name.split(words, '.');
    if (words[0] != instruction.opcode)
      continue;
    isKnown = true;
    known += (known.empty() ? "" : ", ") + name.str();
    auto rest = llvm::ArrayRef(instruction.modifiers);
    auto own = llvm::ArrayRef(words).drop_front();
    if (rest.size() >= own.size() && rest.take_front(own.size()) == own &&
        !llvm::is_contained(rest.drop_front(own.size()), own[0]))
      return "";
  }
  return isKnown ? fmt::format("'{}' begins with one of: {}",
                               instruction.opcode.str(), known)
                 : "";
}

std::string
napkin::executor::checkSpelling(const ptx::Module &module,
                                const ptx::Instruction &instruction) {
  static const llvm::StringMap<std::vector<Form>> forms = takeApart();
  if (auto found = forms.find(instruction.opcode); found != forms.end()) {
    std::string wrong = checkForms(module, instruction, found->second);
    if (!wrong.empty())
      return wrong;
  }
  if (std::string wrong = checkName(instruction); !wrong.empty())
    return wrong;
  // Both orders of these words are forms of their own: to and from.
  if (instruction.opcode == "cp")
    for (llvm::StringRef modifier : instruction.modifiers) {
      if (modifier == "bulk" || modifier == "shared" ||
          modifier == "shared::cta")
        break;
      if (modifier == "global")
        return "cp.async copies from .global to .shared: '.shared' stands "
               "first";
    }
  return checkNeeds(module, instruction);
}
