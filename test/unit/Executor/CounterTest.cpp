//===- CounterTest.cpp - Bytes, sectors, conflicts -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts that follow from the definitions by hand.
//
//===----------------------------------------------------------------------===//

#include "Host/Cache.h"
#include "Support.h"

#include "napkin/Executor/HardwareDescription.h"

#include "llvm/Support/JSON.h"

using namespace napkin::executor;

namespace {

InstructionCounters count(const std::string &body) {
  Device device;
  std::vector<uint8_t> zeros(65536);
  uint64_t in = upload(device, zeros, "in");
  Ran ran = run(kernelText(body, 1, ".shared .align 128 .b8 s[8192];"), device,
                {in}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error + ran.trap(), "");
  return ran.result.counters.total;
}

std::string loadGlobal(int stride,
                       const std::string &op = "ld.global.u32 %r1, [%rd5]") {
  return "mad.wide.u32 %rd5, %t, " + std::to_string(stride) + ", %rd0; " + op +
         ";";
}

TEST(Counter, Sectors) {
  EXPECT_EQ(count(loadGlobal(4)).globalReadSectors, 4u);
  EXPECT_EQ(count(loadGlobal(4)).globalReadBytes, 128u);
  EXPECT_EQ(count(loadGlobal(0)).globalReadSectors, 1u);
  EXPECT_EQ(count(loadGlobal(0)).globalReadBytes, 128u);
  EXPECT_EQ(count(loadGlobal(32)).globalReadSectors, 32u);
  EXPECT_EQ(count(loadGlobal(16, "ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd5]"))
                .globalReadSectors,
            16u);
  EXPECT_EQ(
      count(loadGlobal(64, "st.global.u32 [%rd5], %t")).globalWriteSectors,
      32u);
  EXPECT_EQ(count("setp.lt.u32 %p1, %t, 8;" +
                  loadGlobal(4, "@%p1 ld.global.u32 %r1, [%rd5]"))
                .globalReadBytes,
            32u);
}

std::string storeShared(int stride,
                        const std::string &op = "st.shared.u32 [%r2], %t") {
  return "mov.u32 %r1, s; mad.lo.u32 %r2, %t, " + std::to_string(stride) +
         ", %r1; " + op + ";";
}

TEST(Counter, BankConflicts) {
  auto wavefronts = [](const InstructionCounters &c) {
    return std::make_pair(c.sharedWavefronts, c.sharedConflicts);
  };
  using Pair = std::pair<uint64_t, uint64_t>;
  EXPECT_EQ(wavefronts(count(storeShared(4))), Pair(1, 0));
  EXPECT_EQ(wavefronts(count(storeShared(8))), Pair(2, 1));
  EXPECT_EQ(wavefronts(count(storeShared(128))), Pair(32, 31));
  EXPECT_EQ(wavefronts(count(storeShared(132))), Pair(1, 0));
  // 16-byte accesses go in phases of 8 lanes: four wavefronts are the fewest.
  EXPECT_EQ(wavefronts(count(
                storeShared(16, "st.shared.v4.u32 [%r2], {%t,%t,%t,%t}"))),
            Pair(4, 0));
  EXPECT_EQ(wavefronts(count(
                storeShared(32, "st.shared.v4.u32 [%r2], {%t,%t,%t,%t}"))),
            Pair(8, 4));
  EXPECT_EQ(
      wavefronts(count(storeShared(8, "st.shared.v2.u32 [%r2], {%t,%t}"))),
      Pair(2, 0));
  // One address for all lanes is a broadcast.
  EXPECT_EQ(wavefronts(count("mov.u32 %r1, 0; setp.eq.u32 %p1, %t, 0; @%p1 "
                             "st.shared.u32 [s], %r1; bar.warp.sync -1;"
                             "ld.shared.u32 %r2, [s];")),
            Pair(2, 0));
}

TEST(Counter, Sampling) {
  Device device;
  std::vector<uint8_t> zeros(65536);
  uint64_t in = upload(device, zeros, "in");
  Options options;
  options.sampleBlocks = 3;
  Ran ran = run(kernelText(loadGlobal(4)), device, {in},
                {{12, 1, 1}, {32, 1, 1}}, options);
  EXPECT_EQ(ran.result.counters.blocksExecuted, 3u);
  EXPECT_EQ(ran.result.counters.total.globalReadBytes, 12u * 128);
}

TEST(Counter, SameOnAnyNumberOfThreads) {
  std::string body = "mov.u32 %r1, %ctaid.x; mad.lo.u32 %r2, %r1, 32, %t; "
                     "mad.wide.u32 %rd5, %r2, 4, %rd0;"
                     "ld.global.u32 %r3, [%rd5]; add.u32 %r3, %r3, %r2; "
                     "st.global.u32 [%rd5], %r3;";
  std::string json[2];
  std::vector<uint32_t> values[2];
  for (unsigned threads : {1u, 2u}) {
    Device device;
    std::vector<uint32_t> zeros(64 * 32);
    uint64_t in = upload(device, zeros, "in");
    Options options;
    options.threads = threads;
    Ran ran =
        run(kernelText(body), device, {in}, {{64, 1, 1}, {32, 1, 1}}, options);
    json[threads - 1] = ran.result.counters.json(true);
    values[threads - 1] = download<uint32_t>(device, in, 64 * 32);
  }
  EXPECT_EQ(json[0], json[1]);
  EXPECT_EQ(values[0], values[1]);
}

TEST(Counters, Occupancy) {
  // The numbers of CUDA's occupancy calculator.
  Hardware a100, h100;
  a100.threads = h100.threads = 2048;
  a100.blocks = h100.blocks = 32;
  a100.registers = h100.registers = 65536;
  a100.sharedBytes = 163 * 1024;
  h100.sharedBytes = 227 * 1024;
  struct Case {
    const Hardware &hardware;
    uint32_t threads, registers, shared, blocks;
    const char *limit;
  } cases[] = {
      {a100, 32, 0, 0, 32, "blocks"},
      {a100, 256, 32, 0, 8, "threads"},
      // 168 x 32 registers a warp: 12 warps of 65536, which are one block of 8.
      {a100, 256, 168, 0, 1, "registers"},
      {a100, 128, 64, 0, 8, "registers"},
      // 72 registers are 2304 a warp: 28 warps.
      {a100, 128, 72, 0, 7, "registers"},
      {a100, 128, 65, 0, 7, "registers"},
      {a100, 128, 0, 49152, 3, "shared memory"},
      {h100, 128, 168, 113 * 1024, 2, "shared memory"},
      {h100, 384, 168, 227 * 1024, 1, "registers"},
      {a100, 1024, 72, 0, 0, "registers"},
  };
  for (const Case &c : cases) {
    Occupancy got = occupancy(c.hardware, c.threads, c.registers, c.shared);
    EXPECT_EQ(got.blocksPerMultiprocessor, c.blocks) << c.threads;
    EXPECT_EQ(got.limit, c.limit) << c.threads << " " << c.registers;
  }
}

TEST(Counters, BlocksThatDoNotFit) {
  Device device;
  uint64_t out = cantFail(device.allocate(4));
  Options options;
  options.hardware = Hardware();
  options.hardware->name = "small";
  options.hardware->threads = 1024;
  options.hardware->blocks = 16;
  options.hardware->sharedBytes = 48 * 1024;
  LaunchConfig config;
  config.dynamicSharedBytes = 64 * 1024;
  Ran ran = run(kernelText(""), device, {out}, config, options);
  EXPECT_NE(ran.error.find("65536 bytes of shared memory exceed the 49152"),
            std::string::npos)
      << ran.error;
  options = Options();
  options.cacheModel = true;
  ran = run(kernelText(""), device, {out}, {}, options);
  EXPECT_NE(ran.error.find("needs a hardware description"), std::string::npos);
}

TEST(Counters, DramBytes) {
  // A block per 4 KiB reads all of it three times and writes it once. A cache
  // of the whole array fetches and writes each byte once; one of 1 KiB fetches
  // three times.
  std::string body = R"(
    mov.u32 %r1, %ctaid.x; mad.lo.u32 %r1, %r1, 1024, %t;
    mov.u32 %r2, 0; mov.u32 %r5, 0;
  AGAIN:
    mov.u32 %r3, 0;
  NEXT:
    mad.lo.u32 %r4, %r3, 32, %r1;
    mad.wide.u32 %rd3, %r4, 4, %rd0;
    ld.global.u32 %r6, [%rd3];
    add.u32 %r5, %r5, %r6;
    add.u32 %r3, %r3, 1;
    setp.lt.u32 %p1, %r3, 32;
    @%p1 bra NEXT;
    add.u32 %r2, %r2, 1;
    setp.lt.u32 %p1, %r2, 3;
    @%p1 bra AGAIN;
    mad.wide.u32 %rd3, %r1, 4, %rd1;
    st.global.u32 [%rd3], %r5;
  )";
  for (uint64_t cache : {1 << 20, 1 << 10}) {
    Device device;
    uint64_t in = upload(device, std::vector<uint32_t>(4096, 1), "in"),
             out = cantFail(device.allocate(16384, "out"));
    Options options;
    options.cacheModel = true;
    options.hardware = Hardware();
    options.hardware->multiprocessors = 1;
    options.hardware->threads = 32;
    options.hardware->blocks = 1;
    options.hardware->cacheBytes = cache;
    Ran ran = run(kernelText(body, 2), device, {in, out},
                  {{4, 1, 1}, {32, 1, 1}}, options);
    ASSERT_EQ(ran.trap(), "");
    uint64_t times = cache == 1 << 20 ? 1 : 3;
    EXPECT_EQ(ran.result.counters.dramReadBytes, 16384 * times);
    EXPECT_EQ(ran.result.counters.dramWriteBytes, 4u * 128);
    EXPECT_EQ(ran.result.counters.l2ReadSectors, 3u * 16384 / 32);
  }
}

TEST(Counter, Atomics) {
  // Nsight Compute counts the distinct sectors of one warp's request.
  InstructionCounters same = count("red.global.add.u32 [%rd0], 1;");
  EXPECT_EQ(same.globalWriteBytes, 128u);
  EXPECT_EQ(same.globalWriteSectors, 1u);
  EXPECT_EQ(same.atomics, 32u);
  EXPECT_EQ(count(loadGlobal(4, "atom.global.add.u32 %r1, [%rd5], 1"))
                .globalReadSectors,
            4u);
  // In shared memory lanes that change one word take turns.
  std::string clear = storeShared(4) + "; bar.warp.sync -1;";
  InstructionCounters one = count(clear + "atom.shared.add.u32 %r3, [s], 1;");
  EXPECT_EQ(one.sharedWavefronts, 1u + 32u);
  InstructionCounters apart =
      count(clear + "atom.shared.add.u32 %r3, [%r2], 1;");
  EXPECT_EQ(apart.sharedWavefronts, 1u + 1u);
}

TEST(Counter, Constants) {
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Ran ran = run(kernelText("mov.u64 %rd3, c; mad.wide.u32 %rd4, %t, 4, %rd3;"
                           "ld.const.u32 %r1, [%rd4];",
                           1, ".const .align 4 .b32 c[32];"),
                device, {out}, {{1, 1, 1}, {32, 1, 1}});
  ASSERT_EQ(ran.error + ran.trap(), "");
  EXPECT_EQ(ran.result.counters.total.constantReadBytes, 128u);
  EXPECT_EQ(ran.result.counters.total.globalReadBytes, 0u);
}

TEST(Counter, SharedMemoryOfOtherBlocks) {
  // Each of two blocks writes 128 bytes to the other and reads 128 from it.
  std::string body = R"(
    mov.u32 %r1, s; mov.u32 %r2, %cluster_ctarank; xor.b32 %r2, %r2, 1;
    mapa.shared::cluster.u32 %r3, %r1, %r2;
    mad.lo.u32 %r4, %t, 4, %r3;
    st.shared::cluster.u32 [%r4], %t;
    barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
    ld.shared::cluster.u32 %r5, [%r4];
    barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
  )";
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Ran ran = run(kernelText(body, 1, ".shared .align 128 .b8 s[128];", "sm_90a"),
                device, {out}, {{2, 1, 1}, {32, 1, 1}, {2, 1, 1}});
  ASSERT_EQ(ran.error + ran.trap(), "");
  const InstructionCounters &c = ran.result.counters.total;
  EXPECT_EQ(c.remoteWriteBytes, 256u);
  EXPECT_EQ(c.remoteReadBytes, 256u);
  EXPECT_EQ(c.sharedWriteBytes + c.sharedReadBytes, 0u);
}

/// A kernel of utils/executor_kernels, run for `turns`.
Ran runBenchmark(const char *name, int turns, const Options &options) {
  Ran ran;
  auto module = napkin::ptx::parseFile(std::string(NAPKIN_TEST_INPUTS) +
                                       "/../../../../utils/executor_kernels/" +
                                       name + ".ptx");
  if (!module) {
    ran.error = toString(module.takeError());
    return ran;
  }
  Device device;
  Arguments arguments;
  arguments.pointer(cantFail(device.allocate(512))).i32(turns);
  auto result = launch(device, **module, "", arguments,
                       {{1, 1, 1}, {128, 1, 1}}, options);
  if (!result)
    ran.error = toString(result.takeError());
  else
    ran.result = std::move(*result);
  return ran;
}

TEST(Counter, OperandsOfWgmma) {
  // 64 rows of A and 128 columns of B, 32 bytes each, at 128 bytes a wavefront.
  Ran ran = runBenchmark("wgmma", 2, {});
  ASSERT_EQ(ran.error + ran.trap(), "");
  InstructionCounters sum;
  for (const Counters::Row &row : ran.result.counters.rows)
    if (row.text.find("mma_async") != std::string::npos)
      sum += row.counters;
  const uint64_t products = 2 * 4;
  EXPECT_EQ(sum.sharedReadBytes, products * (64 + 128) * 32);
  EXPECT_EQ(sum.sharedWavefronts, products * (64 + 128) * 32 / 128);
  EXPECT_EQ(sum.sharedConflicts, 0u);
  EXPECT_EQ(sum.tensorMacs, products * 64 * 128 * 16);
}

TEST(Counter, LinesSumToTotals) {
  for (const char *name : {"memory", "mma", "wgmma"}) {
    Ran ran = runBenchmark(name, 3, {});
    ASSERT_EQ(ran.error + ran.trap(), "");
    auto parsed = llvm::json::parse(ran.result.counters.json(true));
    ASSERT_TRUE(bool(parsed));
    const llvm::json::Object &all = *parsed->getAsObject();
    const llvm::json::Array &lines = *all.getArray("lines");
    unsigned fields = 0;
    for (const auto &field : *lines[0].getAsObject()) {
      if (field.first == "line" || field.first == "text")
        continue;
      ++fields;
      int64_t sum = 0;
      for (const llvm::json::Value &line : lines)
        sum += *line.getAsObject()->getInteger(field.first);
      EXPECT_EQ(sum, *all.getInteger(field.first)) << field.first.str();
    }
    EXPECT_GE(fields, 18u);
  }
}

TEST(Counter, CountOnly) {
  // Nothing that mma's kernel does depends on its products.
  Options options;
  std::string full = runBenchmark("mma", 3, options).result.counters.json(true);
  options.countOnly = true;
  Ran ran = runBenchmark("mma", 3, options);
  EXPECT_EQ(ran.result.productsNeededBy, 0u);
  EXPECT_EQ(ran.result.counters.json(true), full);
  // Here a loop ends when a sum is large enough: 4 products of 8 ones a turn.
  std::string product =
      "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f1,%f2,%f3,%f4},"
      "{%r1,%r1}, {%r1}, {%f1,%f2,%f3,%f4};\n";
  std::string start = "mov.b32 %r1, 0x3f803f80; mov.f32 %f1, 0f00000000;"
                      "mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;\n";
  auto steps = [&](const std::string &body) {
    Device device;
    uint64_t out = upload(device, std::vector<uint32_t>(64), "out");
    Ran done = run(kernelText(start + body), device, {out},
                   {{1, 1, 1}, {32, 1, 1}}, options);
    EXPECT_EQ(done.error + done.trap(), "");
    return std::make_pair(done.result.counters.total.tensorMacs / (16 * 8 * 8),
                          done.result.productsNeededBy != 0);
  };
  using Pair = std::pair<uint64_t, bool>;
  EXPECT_EQ(steps("AGAIN: " + product +
                  "setp.lt.f32 %p1, %f1, 0f42000000; @%p1 bra AGAIN;"),
            Pair(4, true));
  // An address, through shared memory: two products and a store.
  EXPECT_EQ(steps(product + product +
                  "cvt.rzi.u32.f32 %r2, %f1; mad.wide.u32 %rd3, %r2, 4, %rd0;"
                  "st.global.u32 [%rd3], %r2;"),
            Pair(2, true));
  EXPECT_EQ(steps(product + "setp.lt.f32 %p1, %f1, 0f42000000;"
                            "selp.f32 %f5, %f1, %f2, %p1;"
                            "st.global.f32 [%rd0], %f5;"),
            Pair(1, false));
}

TEST(Counter, SampleHasBothEnds) {
  // Only the last of five blocks stores.
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Options options;
  options.sampleBlocks = 2;
  Ran ran = run(kernelText("mov.u32 %r1, %ctaid.x; setp.eq.u32 %p1, %r1, 4;"
                           "mad.wide.u32 %rd3, %t, 4, %rd0;"
                           "@%p1 st.global.u32 [%rd3], %t;"),
                device, {out}, {{5, 1, 1}, {32, 1, 1}}, options);
  ASSERT_EQ(ran.error + ran.trap(), "");
  EXPECT_EQ(ran.result.counters.blocksExecuted, 2u);
  EXPECT_EQ(ran.result.counters.total.globalWriteBytes, 128u * 5 / 2);
}

TEST(Counters, FirstLevelCache) {
  // A block reads 4 KiB three times. Its L1 cache holds that; what bypasses it
  // reaches the L2 cache each time.
  for (const char *load : {"ld.global.u32", "ld.global.cg.u32"}) {
    std::string body = R"(
      mov.u32 %r2, 0;
    AGAIN:
      mov.u32 %r3, 0;
    NEXT:
      mad.lo.u32 %r4, %r3, 32, %t;
      mad.wide.u32 %rd3, %r4, 4, %rd0;
      )" + std::string(load) +
                       R"( %r6, [%rd3];
      add.u32 %r3, %r3, 1;
      setp.lt.u32 %p1, %r3, 32;
      @%p1 bra NEXT;
      add.u32 %r2, %r2, 1;
      setp.lt.u32 %p1, %r2, 3;
      @%p1 bra AGAIN;
    )";
    Device device;
    uint64_t in = upload(device, std::vector<uint32_t>(1024, 1), "in");
    Options options;
    options.cacheModel = true;
    options.hardware = Hardware();
    options.hardware->multiprocessors = 1;
    options.hardware->threads = 32;
    options.hardware->blocks = 1;
    options.hardware->sharedBytes = 99 << 10;
    options.hardware->firstLevelBytes = 128 << 10;
    options.hardware->cacheBytes = 1 << 20;
    Ran ran =
        run(kernelText(body), device, {in}, {{1, 1, 1}, {32, 1, 1}}, options);
    ASSERT_EQ(ran.error + ran.trap(), "");
    uint64_t times = std::string(load) == "ld.global.u32" ? 1 : 3;
    EXPECT_EQ(ran.result.counters.l2ReadSectors, times * 128);
    EXPECT_EQ(ran.result.counters.l1Hits, (3 - times) * 128);
    EXPECT_EQ(ran.result.counters.dramReadBytes, 4096u);
  }
}

TEST(Counters, BlocksStartWhereOthersEnd) {
  // Two multiprocessors, a block on each. The second ends first, so the third
  // block follows it and finds its sector in the same L1 cache.
  Hardware hardware;
  hardware.multiprocessors = 2;
  hardware.cacheBytes = 1 << 20;
  Cache cache(hardware, 2, 1, 1 << 14);
  const uint64_t first = 0, second = 100;
  size_t slot = cache.beginBlock();
  for (int k = 0; k < 3; ++k)
    cache.access(slot, &first, 1, false, true);
  cache.endBlock();
  for (int block = 1; block < 3; ++block) {
    slot = cache.beginBlock();
    cache.access(slot, &second, 1, false, true);
    cache.endBlock();
  }
  Counters counters;
  cache.finish(counters);
  EXPECT_EQ(counters.l1Hits, 2u + 1u);
  EXPECT_EQ(counters.l2ReadSectors, 2u);
}

TEST(Counters, FirstLevelSizes) {
  // An A100 has 192 KiB; shared memory takes 0, 8, 16, 32, 64, 100, 132 or 164.
  Hardware a100 = *cantFail(findHardware("a100_80gb", ""));
  auto left = [&](uint64_t blocks, uint64_t shared) {
    Occupancy occupancy;
    occupancy.blocksPerMultiprocessor = blocks;
    occupancy.sharedBytesPerBlock = shared << 10;
    return firstLevelBytes(a100, occupancy) >> 10;
  };
  EXPECT_EQ(left(8, 0), 192u);
  EXPECT_EQ(left(1, 31), 192u - 32);
  EXPECT_EQ(left(1, 32), 192u - 64);
  EXPECT_EQ(left(3, 40), 192u - 132);
  EXPECT_EQ(left(1, 163), 192u - 164);
}

TEST(Counters, OccupancyOfAmpereAndAdaGaming) {
  // 1536 threads; 16 blocks on 8.6, 24 on 8.9; 100 KiB less 1 a block.
  struct Case {
    const char *name;
    uint32_t threads, registers, shared, blocks;
    const char *limit;
  } cases[] = {
      {"rtx_3090", 64, 0, 0, 16, "blocks"},
      {"rtx_4090", 32, 0, 0, 24, "blocks"},
      {"rtx_4090", 256, 32, 0, 6, "threads"},
      {"rtx_3090", 128, 128, 0, 4, "registers"},
      {"rtx_4090", 128, 128, 48 << 10, 2, "shared memory"},
      {"rtx_3090", 128, 0, 99 << 10, 1, "shared memory"},
  };
  for (const Case &c : cases) {
    Hardware hardware = *cantFail(findHardware(c.name, ""));
    Occupancy got = occupancy(hardware, c.threads, c.registers, c.shared);
    EXPECT_EQ(got.blocksPerMultiprocessor, c.blocks)
        << c.name << " " << c.threads;
    EXPECT_EQ(got.limit, c.limit) << c.name << " " << c.threads;
  }
}

} // namespace
