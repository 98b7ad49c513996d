//===- MutationTest.cpp - Kernels with one line missing --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From each kernel one barrier, fence, wait, arrive or commit is deleted at a
// time. A mutant is caught when it traps or computes something else. Survivors
// are printed and must be among those that are listed here with the reason.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "napkin/Executor/Manifest.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <set>

using namespace napkin::executor;

namespace {

struct Case {
  const char *file;
  LaunchConfig config;
  /// Adds the arguments and returns the output's address and size.
  std::pair<uint64_t, uint64_t> (*prepare)(Device &, Arguments &);
  /// Lines whose deletion changes nothing, and why.
  std::map<uint32_t, const char *> redundant;
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
                    unsigned seed) {
  Device device;
  Arguments arguments;
  auto [output, bytes] = c.prepare(device, arguments);
  Options options;
  options.seed = seed;
  options.completion = seed % 2 ? Completion::Earliest : Completion::Latest;
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

void mutate(const Case &c) {
  auto buffer = llvm::MemoryBuffer::getFile(std::string(NAPKIN_TEST_INPUTS) +
                                            "/" + c.file);
  ASSERT_TRUE(bool(buffer));
  llvm::SmallVector<llvm::StringRef, 0> lines;
  (*buffer)->getBuffer().split(lines, '\n');
  auto original = napkin::ptx::parse((*buffer)->getBuffer(), c.file);
  ASSERT_TRUE(bool(original));
  std::string expected = outcome(**original, c, 0);
  ASSERT_FALSE(llvm::StringRef(expected).starts_with("trap") ||
               llvm::StringRef(expected).starts_with("error"))
      << expected;
  unsigned mutants = 0, caught = 0;
  std::map<std::string, unsigned> how;
  for (size_t line = 0; line < lines.size(); ++line) {
    if (!isMutable(lines[line]))
      continue;
    ++mutants;
    std::string text;
    for (size_t k = 0; k < lines.size(); ++k)
      text += (k == line ? "" : lines[k].str()) + "\n";
    auto module = cantFail(napkin::ptx::parse(text, c.file));
    std::string seen = expected;
    for (unsigned seed = 0; seed < 4 && seen == expected; ++seed)
      seen = outcome(*module, c, seed);
    if (seen != expected) {
      ++caught;
      bool named = llvm::StringRef(seen).starts_with("trap") ||
                   llvm::StringRef(seen).starts_with("error");
      ++how[named ? seen : "different result"];
      EXPECT_EQ(c.redundant.count(line + 1), 0u)
          << c.file << ":" << line + 1 << " is listed as redundant";
      continue;
    }
    auto reason = c.redundant.find(line + 1);
    printf("%s:%zu: survives: %s: %s\n", c.file, line + 1,
           lines[line].trim().str().c_str(),
           reason == c.redundant.end() ? "NOT EXPLAINED" : reason->second);
    EXPECT_NE(reason, c.redundant.end());
  }
  printf("%s: %u of %u mutants caught\n", c.file, caught, mutants);
  for (auto &[name, count] : how)
    printf("  %-28s %u\n", name.c_str(), count);
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

TEST(Mutation, NvccGemmSm80) {
  mutate({"nvcc_gemm_mma_sm80.ptx",
          {{1, 1, 1}, {128, 1, 1}, {1, 1, 1}, 65536},
          [](Device &d, Arguments &a) { return gemm(d, a, 0); },
          {}});
}
TEST(Mutation, TritonGemmSm80) {
  mutate({"triton_gemm_k64_s3_sm80.ptx",
          {{1, 1, 1}, {256, 1, 1}, {1, 1, 1}, 65536},
          [](Device &d, Arguments &a) { return gemm(d, a, 1); },
          {{186, joins},
           {541, repeated},
           {542, repeated},
           {932, twice},
           {933, twice}}});
}
TEST(Mutation, TritonAttentionSm80) {
  mutate({"triton_attn_ptr_d64_nc_sm80.ptx",
          {{2, 1, 1}, {128, 1, 1}, {1, 1, 1}, 49152},
          [](Device &d, Arguments &a) { return attention(d, a, false); },
          {{309, joins}, {1977, elsewhere}, {1978, elsewhere}}});
}
TEST(Mutation, TritonGemmSm90) {
  mutate({"triton_gemm_tma_k64_s4_sm90.ptx",
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
           {808, last}}});
}
TEST(Mutation, TritonAttentionSm90) {
  mutate({"triton_attn_tma_d64_nc_sm90.ptx",
          {{2, 1, 1}, {128, 1, 1}, {1, 1, 1}, 65592},
          [](Device &d, Arguments &a) { return attention(d, a, true); },
          {{91, sameWarp},
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
           {1644, last}}});
}

} // namespace
