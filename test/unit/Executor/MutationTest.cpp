//===- MutationTest.cpp - Kernels with one line wrong ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In each kernel one barrier, fence, wait, arrive or commit is deleted at a
// time, or its count, parity, bytes, groups, guard or stage is changed. A
// mutant is caught when it traps or computes something else. A survivor runs
// under twelve schedules (four orders of the warps, three times of completion):
// since races are judged by happens-before and not by luck, silence there means
// that what the line orders is ordered without it. Survivors are printed and
// must be among those that are listed here with the reason.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "napkin/Executor/Manifest.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <set>

using namespace napkin::executor;

namespace {

using Mutation = std::pair<uint32_t, std::string>;

struct Case {
  const char *name;
  std::string text;
  LaunchConfig config;
  /// Adds the arguments and returns the output's address and size.
  std::pair<uint64_t, uint64_t> (*prepare)(Device &, Arguments &);
  /// Lines whose deletion changes nothing, and why.
  std::map<uint32_t, const char *> redundant;
  /// The same of other mutations.
  std::map<Mutation, const char *> harmless = {};

  const char *reason(uint32_t line, const std::string &kind) const {
    if (kind == "deleted") {
      auto found = redundant.find(line);
      return found == redundant.end() ? nullptr : found->second;
    }
    auto found = harmless.find({line, kind});
    return found == harmless.end() ? nullptr : found->second;
  }
};

void addMap(Arguments &arguments, uint64_t address, uint64_t rows,
            uint64_t columns, uint32_t boxRows, uint32_t boxColumns) {
  TensorMapInfo info;
  info.sizes = {columns, rows};
  info.strides = {columns * 2};
  info.box = {boxColumns, boxRows};
  info.swizzle = 128;
  auto map = cantFail(encodeTensorMap(address, info));
  arguments.raw(map.data(), map.size());
  arguments.i32(rows).i32(columns).i64(columns).i64(1);
}

const int M = 128, N = 128, K = 320;

std::pair<uint64_t, uint64_t> gemm(Device &device, Arguments &arguments,
                                   int kind) {
  uint64_t a = upload(device, randomBfloat(M * K, 1), "a"),
           b = upload(device, randomBfloat(K * N, 2), "b");
  uint64_t c = cantFail(device.allocate(M * N * 2, "c"));
  if (kind == 2) {
    addMap(arguments, a, M, K, 128, 64);
    addMap(arguments, b, N, K, 128, 64);
    addMap(arguments, c, M, N, 128, 64);
    arguments.i32(M).i32(N).i32(K).pointer(0).pointer(0);
    return {c, M * N * 2};
  }
  arguments.pointer(a).pointer(b).pointer(c).i32(M).i32(N).i32(K);
  if (kind == 1)
    arguments.i32(K).i32(N).i32(N).pointer(0).pointer(0);
  return {c, M * N * 2};
}

std::pair<uint64_t, uint64_t> attention(Device &device, Arguments &arguments,
                                        bool maps) {
  const int length = 256, d = 64, size = length * d;
  uint64_t q = upload(device, randomBfloat(size, 5), "q"),
           k = upload(device, randomBfloat(size, 6), "k"),
           v = upload(device, randomBfloat(size, 7), "v");
  uint64_t m = cantFail(device.allocate(length * 4, "m")),
           o = cantFail(device.allocate(size * 2, "o"));
  arguments.f32(0.125f).pointer(m);
  if (maps) {
    arguments.i32(1).i32(1);
    addMap(arguments, q, length, d, 128, 64);
    addMap(arguments, k, length, d, 64, 64);
    addMap(arguments, v, length, d, 64, 64);
    addMap(arguments, o, length, d, 128, 64);
    arguments.i32(length);
  } else {
    arguments.pointer(q).pointer(k).pointer(v).pointer(o);
    arguments.i32(size).i32(size).i32(d).i32(d).i32(d).i32(d).i32(1).i32(1).i32(
        length);
  }
  arguments.pointer(0).pointer(0);
  return {o, size * 2};
}

/// Bytes of the output, or the first trap's name.
std::string outcome(const napkin::ptx::Module &module, const Case &c,
                    unsigned seed, Completion completion) {
  Device device;
  Arguments arguments;
  auto [output, bytes] = c.prepare(device, arguments);
  Options options;
  options.seed = seed;
  options.completion = completion;
  options.instructionLimit = 2000000;
  auto result = launch(device, module, "", arguments, c.config, options);
  if (!result)
    return "error: " + toString(result.takeError());
  if (!result->traps.empty())
    return "trap: " + trapName(result->traps[0].kind).str();
  std::string content(bytes, 0);
  uint64_t missing;
  cantFail(device.copyFromDevice(content.data(), output, bytes, &missing));
  return missing ? "error: output not written" : content;
}

bool isMutable(llvm::StringRef line) {
  line = line.trim();
  if (line.consume_front("@"))
    line =
        line.drop_until([](char c) { return c == ' ' || c == '\t'; }).ltrim();
  for (const char *start :
       {"bar.sync", "barrier.", "fence.", "cp.async.wait", "cp.async.commit",
        "cp.async.bulk.commit", "cp.async.bulk.wait", "mbarrier.arrive",
        "wgmma.fence", "wgmma.commit", "wgmma.wait", "bar.warp"})
    if (line.starts_with(start))
      return true;
  return false;
}

/// The number or register after the last comma or bracket, without ';'.
llvm::StringRef lastOperand(llvm::StringRef line) {
  line = line.take_until([](char c) { return c == ';'; });
  size_t at = line.find_last_of(", \t");
  return at == llvm::StringRef::npos ? "" : line.drop_front(at + 1).trim();
}

std::string withLastOperand(llvm::StringRef line, const std::string &value) {
  llvm::StringRef old = lastOperand(line);
  size_t at = old.data() - line.data();
  return (line.take_front(at) + value + line.drop_front(at + old.size())).str();
}

struct Mutant {
  uint32_t line;
  std::string kind, text;
};

/// All that may go wrong in one line.
void addMutants(uint32_t number, llvm::StringRef line,
                std::vector<Mutant> &mutants) {
  auto add = [&](const char *kind, std::string text) {
    mutants.push_back({number, kind, std::move(text)});
  };
  if (isMutable(line))
    add("deleted", "");
  llvm::StringRef operand = lastOperand(line);
  int64_t value;
  bool isNumber = !operand.getAsInteger(10, value);
  auto shifted = [&](const char *kind, int64_t by) {
    if (isNumber && value + by > 0)
      add(kind, withLastOperand(line, std::to_string(value + by)));
  };
  if (line.contains("expect_tx")) {
    shifted("16 bytes less", -16);
    shifted("16 bytes more", 16);
  }
  if (line.contains("mbarrier.init")) {
    shifted("count less", -1);
    shifted("count more", 1);
  }
  if ((line.contains("bar.sync") || line.contains("barrier.sync")) &&
      line.contains(',')) {
    shifted("count less", -32);
    shifted("count more", 32);
  }
  if (line.contains("wait_group"))
    add("one group more may be pending",
        withLastOperand(line, std::to_string(value + 1)));
  if (line.contains(".parity")) {
    if (isNumber)
      add("other parity", withLastOperand(line, std::to_string(1 - value)));
    else
      add("other parity", "{ .reg .b32 %mutated; xor.b32 %mutated, " +
                              operand.str() + ", 1; " +
                              withLastOperand(line, "%mutated") + " }");
  }
  llvm::StringRef trimmed = line.trim();
  if (trimmed.starts_with("@") && (trimmed.contains("mbarrier.arrive") ||
                                   trimmed.contains("cp.async.bulk")))
    add("without its guard",
        trimmed.drop_until([](char c) { return c == ' ' || c == '\t'; }).str());
  if (line.contains("// stage")) {
    llvm::StringRef code = line.take_front(line.find("//"));
    add("always stage 0", withLastOperand(code, "0"));
  }
}

void mutate(const Case &c) {
  llvm::SmallVector<llvm::StringRef, 0> lines;
  llvm::StringRef(c.text).split(lines, '\n');
  auto original = cantFail(napkin::ptx::parse(c.text, c.name));
  const Completion completions[] = {Completion::Latest, Completion::Earliest,
                                    Completion::Random};
  std::string expected = outcome(*original, c, 0, Completion::Latest);
  ASSERT_FALSE(llvm::StringRef(expected).starts_with("trap") ||
               llvm::StringRef(expected).starts_with("error"))
      << expected;
  // The kernel itself stays silent under every schedule.
  for (unsigned run = 0; run < 12; ++run)
    ASSERT_EQ(outcome(*original, c, run / 3, completions[run % 3]), expected);
  std::vector<Mutant> mutants;
  for (size_t line = 0; line < lines.size(); ++line)
    addMutants(line + 1, lines[line], mutants);
  unsigned caught = 0;
  std::map<std::string, std::map<std::string, unsigned>> how;
  for (const Mutant &mutant : mutants) {
    std::string text;
    for (size_t k = 0; k < lines.size(); ++k)
      text += (k + 1 == mutant.line ? mutant.text : lines[k].str()) + "\n";
    auto module = napkin::ptx::parse(text, c.name);
    ASSERT_TRUE(bool(module)) << c.name << ":" << mutant.line << " "
                              << mutant.text << toString(module.takeError());
    std::string seen = expected;
    for (unsigned run = 0; run < 12 && seen == expected; ++run)
      seen = outcome(**module, c, run % 4, completions[(run + run / 4) % 3]);
    const char *reason = c.reason(mutant.line, mutant.kind);
    if (seen != expected) {
      ++caught;
      bool named = llvm::StringRef(seen).starts_with("trap") ||
                   llvm::StringRef(seen).starts_with("error");
      ++how[mutant.kind]
           [named ? seen.substr(0, seen.find('\n')) : "different result"];
      EXPECT_EQ(reason, nullptr) << c.name << ":" << mutant.line << " ("
                                 << mutant.kind << ") is listed as harmless";
      continue;
    }
    ++how[mutant.kind]["survives, no unordered accesses"];
    printf("%s:%u: %s: survives: %s: %s\n", c.name, mutant.line,
           mutant.kind.c_str(), lines[mutant.line - 1].trim().str().c_str(),
           reason ? reason : "NOT EXPLAINED");
    EXPECT_NE(reason, nullptr);
  }
  printf("%s: %u of %zu mutants caught\n", c.name, caught, mutants.size());
  for (auto &[kind, outcomes] : how)
    for (auto &[name, count] : outcomes)
      printf("  %-30s %-32s %u\n", kind.c_str(), name.c_str(), count);
}

std::string content(const char *file) {
  auto buffer =
      llvm::MemoryBuffer::getFile(std::string(NAPKIN_TEST_INPUTS) + "/" + file);
  EXPECT_TRUE(bool(buffer)) << file;
  return buffer ? (*buffer)->getBuffer().str() : "";
}

// C = A B^T with 64 rows of A and 64 of B per block; a warp that loads, four
// that multiply, two stages. In a cluster of two blocks each loads half of A
// for both.
const int steps = 12, depth = 64 * steps;

std::string specialized(bool cluster) {
  std::string text = R"(.version 8.4
.target sm_90a
.address_size 64
.visible .entry gemm(.param .align 64 .b8 ma[128], .param .align 64 .b8 mb[128], .param .u64 c)
{
.reg .pred %p<16>; .reg .b32 %r<60>; .reg .b64 %rd<30>; .reg .f32 %f<32>; .reg .b16 %h<4>;
.shared .align 1024 .b8 tiles[32768];
.shared .align 8 .b64 full[2];
.shared .align 8 .b64 empty[2];
mov.u32 %r0, %tid.x;
shr.u32 %r1, %r0, 5;
mov.u64 %rd0, ma; cvta.param.u64 %rd0, %rd0;
mov.u64 %rd1, mb; cvta.param.u64 %rd1, %rd1;
ld.param.u64 %rd2, [c];
mov.u32 %r3, tiles; mov.u32 %r4, full; mov.u32 %r5, empty;
mov.u32 %r6, %cluster_ctarank; mov.u32 %r7, %ctaid.x;
setp.ne.u32 %p0, %r0, 0;
@%p0 bra READY;
mbarrier.init.shared::cta.b64 [full], 1;
mbarrier.init.shared::cta.b64 [full+8], 1;
mbarrier.init.shared::cta.b64 [empty], ARRIVALS;
mbarrier.init.shared::cta.b64 [empty+8], ARRIVALS;
fence.mbarrier_init.release.cluster;
READY:
MEET
setp.lt.u32 %p1, %r0, 128;
@%p1 bra CONSUMER;
setp.ne.u32 %p2, %r0, 128;
@%p2 bra DONE;
mov.b32 %r10, 0;
PRODUCE:
and.b32 %r11, %r10, 1; // stage
shr.u32 %r12, %r10, 1; and.b32 %r12, %r12, 1; xor.b32 %r12, %r12, 1;
shl.b32 %r13, %r11, 3; add.u32 %r14, %r4, %r13; add.u32 %r15, %r5, %r13;
FREE:
mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r15], %r12;
@!%p3 bra FREE;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r14], 16384;
shl.b32 %r16, %r11, 14; add.u32 %r16, %r3, %r16; add.u32 %r17, %r16, 8192;
shl.b32 %r18, %r10, 6;
mov.b32 %r20, 0; shl.b32 %r21, %r7, 6;
LOADS
cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r17], [%rd1, {%r18, %r21}], [%r14];
add.u32 %r10, %r10, 1;
setp.lt.u32 %p4, %r10, 12;
@%p4 bra PRODUCE;
bra DONE;
CONSUMER:
mov.b32 %r10, 0;
and.b32 %r30, %r0, 31; setp.eq.u32 %p7, %r30, 0;
CONSUME:
and.b32 %r11, %r10, 1; // stage
shr.u32 %r12, %r10, 1; and.b32 %r12, %r12, 1;
shl.b32 %r13, %r11, 3; add.u32 %r14, %r4, %r13; add.u32 %r15, %r5, %r13;
FILLED:
mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r14], %r12;
@!%p3 bra FILLED;
shl.b32 %r16, %r11, 14; add.u32 %r16, %r3, %r16;
shr.u32 %r17, %r16, 4; cvt.u64.u32 %rd5, %r17;
or.b64 %rd6, %rd5, 4611686293305360384;
add.s64 %rd7, %rd6, 512;
setp.ne.u32 %p5, %r10, 0; setp.eq.u32 %p6, %r10, %r10;
wgmma.fence.sync.aligned;
)";
  std::string registers;
  for (int r = 0; r < 32; ++r)
    registers += (r ? ", %f" : "%f") + std::to_string(r);
  for (int k = 0; k < 4; ++k) {
    std::string offset = std::to_string(2 * k);
    text += "add.s64 %rd10, %rd6, " + offset + "; add.s64 %rd11, %rd7, " +
            offset +
            ";\nwgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" +
            registers + "}, %rd10, %rd11, " + (k ? "%p6" : "%p5") +
            ", 1, 1, 0, 0;\n";
  }
  text += R"(wgmma.commit_group.sync.aligned;
wgmma.wait_group.sync.aligned 0;
@%p7 mbarrier.arrive.shared::cta.b64 _, [%r15];
REMOTE
add.u32 %r10, %r10, 1;
setp.lt.u32 %p4, %r10, 12;
@%p4 bra CONSUME;
shl.b32 %r31, %r1, 4; shr.u32 %r32, %r30, 2; add.u32 %r31, %r31, %r32;
shl.b32 %r31, %r31, 6; and.b32 %r33, %r30, 3; shl.b32 %r33, %r33, 1; add.u32 %r31, %r31, %r33;
shl.b32 %r34, %r7, 12; add.u32 %r31, %r31, %r34; mad.wide.u32 %rd12, %r31, 4, %rd2;
)";
  for (int j = 0; j < 8; ++j)
    for (int half = 0; half < 2; ++half)
      text += "st.global.v2.f32 [%rd12+" +
              std::to_string(32 * j + 2048 * half) + "], {%f" +
              std::to_string(4 * j + 2 * half) + ", %f" +
              std::to_string(4 * j + 2 * half + 1) + "};\n";
  text += "DONE:\nLEAVE\nret;\n}\n";
  auto replace = [&](llvm::StringRef name, const std::string &value) {
    for (size_t at; (at = text.find(name.str())) != std::string::npos;)
      text.replace(at, name.size(), value);
  };
  replace("ARRIVALS", cluster ? "8" : "4");
  replace("MEET", cluster ? "barrier.cluster.arrive.relaxed;\n"
                            "barrier.cluster.wait;"
                          : "bar.sync 0;");
  replace("LEAVE",
          cluster ? "barrier.cluster.arrive;\nbarrier.cluster.wait;" : "");
  const std::string load = "cp.async.bulk.tensor.2d.shared::cluster.global."
                           "mbarrier::complete_tx::bytes";
  replace("LOADS", cluster
                       ? "shl.b32 %r22, %r6, 5; shl.b32 %r23, %r6, 12; add.u32 "
                         "%r16, %r16, %r23; mov.b16 %h0, 3;\n" +
                             load +
                             ".multicast::cluster [%r16], [%rd0, {%r18, "
                             "%r22}], [%r14], %h0;"
                       : load + " [%r16], [%rd0, {%r18, %r20}], [%r14];");
  replace("REMOTE", cluster ? "xor.b32 %r35, %r6, 1; mapa.shared::cluster.u32 "
                              "%r36, %r15, %r35;\n@%p7 mbarrier.arrive."
                              "release.cluster.shared::cluster.b64 _, [%r36];"
                            : "");
  return text;
}

std::pair<uint64_t, uint64_t> specializedArguments(Device &device,
                                                   Arguments &arguments,
                                                   int blocks, int cluster) {
  auto map = [&](uint64_t address, uint64_t rows, uint32_t boxRows) {
    TensorMapInfo info;
    info.sizes = {uint64_t(depth), rows};
    info.strides = {uint64_t(depth) * 2};
    info.box = {64, boxRows};
    info.swizzle = 128;
    auto encoded = cantFail(encodeTensorMap(address, info));
    arguments.raw(encoded.data(), encoded.size());
  };
  map(upload(device, randomBfloat(64 * depth, 11), "a"), 64, 64 / cluster);
  map(upload(device, randomBfloat(64 * blocks * depth, 12), "b"), 64 * blocks,
      64);
  uint64_t bytes = 64 * 64 * 4 * blocks;
  uint64_t c = cantFail(device.allocate(bytes, "c"));
  arguments.pointer(c);
  return {c, bytes};
}

void checkSpecialized(const Case &c, int blocks) {
  auto module = cantFail(napkin::ptx::parse(c.text, c.name));
  std::string bytes = outcome(*module, c, 0, Completion::Latest);
  ASSERT_EQ(bytes.size(), size_t(64 * 64 * 4 * blocks)) << bytes;
  auto a = randomBfloat(64 * depth, 11),
       b = randomBfloat(64 * blocks * depth, 12);
  for (int block = 0; block < blocks; ++block)
    for (int row = 0; row < 64; ++row)
      for (int column = 0; column < 64; ++column) {
        double sum = 0, size = 0;
        for (int k = 0; k < depth; ++k) {
          double term = double(fromBfloat(a[row * depth + k])) *
                        fromBfloat(b[(64 * block + column) * depth + k]);
          sum += term;
          size += std::fabs(term);
        }
        float got;
        std::memcpy(&got, &bytes[4 * (4096 * block + 64 * row + column)], 4);
        ASSERT_NEAR(got, sum, size * 1e-5) << block << " " << row;
      }
}

// Why a deletion changes nothing.
const char *joins =
    "its copies join the next group, which the same wait covers";
const char *repeated =
    "the prologue or the end of the previous iteration did the same";
const char *twice = "the line stands there twice";
const char *elsewhere =
    "the copies in flight fill buffers that the epilogue does not use";
const char *sameWarp =
    "one warp acts on both sides, and another barrier precedes all others";
const char *ownWait = "every warp waited for the mbarrier itself";
const char *another = "another barrier stands between the two accesses";
const char *last = "nothing follows but the end";
const char *equal = "every warp stores the same bytes";
const char *empty = "the newest group copies nothing";
const char *ownBlock = "the barrier orders the initialisation, and copies of "
                       "the own block need no fence after it";

const std::string oneMore = "one group more may be pending";

TEST(Mutation, NvccGemmSm80) {
  mutate({"nvcc_gemm_mma_sm80.ptx",
          content("nvcc_gemm_mma_sm80.ptx"),
          {{1, 1, 1}, {128, 1, 1}, {1, 1, 1}, 65536},
          [](Device &d, Arguments &a) { return gemm(d, a, 0); },
          {}});
}
TEST(Mutation, TritonGemmSm80) {
  mutate({"triton_gemm_k64_s3_sm80.ptx",
          content("triton_gemm_k64_s3_sm80.ptx"),
          {{1, 1, 1}, {256, 1, 1}, {1, 1, 1}, 65536},
          [](Device &d, Arguments &a) { return gemm(d, a, 1); },
          {{186, joins},
           {541, repeated},
           {542, repeated},
           {932, twice},
           {933, twice}},
          {{{541, oneMore}, repeated},
           {{932, oneMore}, twice},
           {{933, oneMore}, twice},
           {{1139, oneMore}, empty}}});
}
TEST(Mutation, TritonAttentionSm80) {
  mutate({"triton_attn_ptr_d64_nc_sm80.ptx",
          content("triton_attn_ptr_d64_nc_sm80.ptx"),
          {{2, 1, 1}, {128, 1, 1}, {1, 1, 1}, 49152},
          [](Device &d, Arguments &a) { return attention(d, a, false); },
          {{309, joins}, {1977, elsewhere}, {1978, elsewhere}},
          {{{1977, oneMore}, elsewhere}}});
}
TEST(Mutation, TritonGemmSm90) {
  mutate({"triton_gemm_tma_k64_s4_sm90.ptx",
          content("triton_gemm_tma_k64_s4_sm90.ptx"),
          {{1, 1, 1}, {128, 1, 1}, {1, 1, 1}, 131104},
          [](Device &d, Arguments &a) { return gemm(d, a, 2); },
          {{141, sameWarp},
           {150, sameWarp},
           {161, sameWarp},
           {172, sameWarp},
           {179, sameWarp},
           {190, sameWarp},
           {201, sameWarp},
           {208, sameWarp},
           {219, sameWarp},
           {526, ownWait},
           {627, another},
           {636, another},
           {646, another},
           {666, another},
           {679, another},
           {808, last}},
          {{{803, "without its guard"}, equal}}});
}
TEST(Mutation, TritonAttentionSm90) {
  mutate({"triton_attn_tma_d64_nc_sm90.ptx",
          content("triton_attn_tma_d64_nc_sm90.ptx"),
          {{2, 1, 1}, {128, 1, 1}, {1, 1, 1}, 65592},
          [](Device &d, Arguments &a) { return attention(d, a, true); },
          {{85, sameWarp},
           {91, sameWarp},
           {168, sameWarp},
           {176, sameWarp},
           {185, sameWarp},
           {191, sameWarp},
           {205, sameWarp},
           {212, sameWarp},
           {222, sameWarp},
           {228, sameWarp},
           {1015, ownWait},
           {1231, another},
           {1240, another},
           {1250, another},
           {1257, another},
           {1276, another},
           {1283, another},
           {1644, last}},
          {{{1639, "without its guard"}, equal}}});
}

TEST(Mutation, WarpSpecialized) {
  Case c{
      "specialized",
      specialized(false),
      {{2, 1, 1}, {160, 1, 1}, {1, 1, 1}, 0},
      [](Device &d, Arguments &a) { return specializedArguments(d, a, 2, 1); },
      {{23, ownBlock}},
      {}};
  checkSpecialized(c, 2);
  mutate(c);
}
TEST(Mutation, ClusterMulticast) {
  Case c{
      "multicast",
      specialized(true),
      {{2, 1, 1}, {160, 1, 1}, {2, 1, 1}, 0},
      [](Device &d, Arguments &a) { return specializedArguments(d, a, 2, 2); },
      {},
      {}};
  checkSpecialized(c, 2);
  mutate(c);
}

} // namespace
