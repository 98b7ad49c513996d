//===- DeviceTest.cpp - Memory, and what is kept of it ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bytes that were written are counted by bits; memory moves in and out; the
// short forms of the race detector's cells.
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceGlobal.h"
#include "Machine/Marks.h"
#include "Support.h"

using namespace napkin::executor;

namespace {

TEST(Marks, RangesOfBitsAtAnyOffset) {
  for (unsigned first = 0; first < 70; ++first)
    for (unsigned count : {1, 2, 7, 63, 64, 65, 128, 130}) {
      uint64_t bits[5] = {};
      setBits(bits, first, count);
      for (unsigned at = 0; at < 320; ++at)
        ASSERT_EQ(allBitsSet(bits, at, 1), at >= first && at < first + count)
            << first << " " << count << " " << at;
      EXPECT_TRUE(allBitsSet(bits, first, count));
      EXPECT_FALSE(allBitsSet(bits, first, count + 1));
      EXPECT_FALSE(first && allBitsSet(bits, first - 1, count));
    }
}

TEST(Device, CountsWhatNobodyWrote) {
  Device device;
  const uint64_t at = cantFail(device.allocate(1000, "x"));
  EXPECT_EQ(device.unwritten(at, 1000).count, 1000u);
  std::vector<char> bytes(1000, 1);
  cantFail(device.copyToDevice(at + 3, bytes.data(), 500));
  Device::Unwritten left = device.unwritten(at, 1000);
  EXPECT_EQ(left.count, 500u);
  EXPECT_EQ(left.first, 0u);
  cantFail(device.fill(at, 7, 3));
  left = device.unwritten(at + 1, 999);
  EXPECT_EQ(left.count, 497u);
  EXPECT_EQ(left.first, 502u);
  uint64_t missing = 0;
  cantFail(device.copyFromDevice(bytes.data(), at, 1000, &missing));
  EXPECT_EQ(missing, 497u);
  cantFail(device.copyToDevice(at, bytes.data(), 1000));
  EXPECT_EQ(device.unwritten(at, 1000).count, 0u);
}

TEST(Device, LendsHostMemoryAtItsOwnAddress) {
  Device device;
  std::vector<char> own(256, 3), other(256, 4);
  const uint64_t at = reinterpret_cast<uint64_t>(own.data());
  cantFail(device.lend(own.data(), own.size(), "own"));
  EXPECT_EQ(device.unwritten(at, own.size()).count, 0u);
  cantFail(device.fill(at + 8, 9, 4));
  EXPECT_EQ(own[8], 9);
  EXPECT_EQ(toString(device.lend(own.data() + 255, 1, "part")),
            "'part' overlaps 'own'");
  cantFail(device.lend(other.data(), other.size(), "other"));
  const uint64_t allocated = cantFail(device.allocate(16, "device's"));
  cantFail(device.fill(allocated, 1, 16));
  cantFail(device.copyWithin(at, allocated, 16));
  EXPECT_EQ(own[15], 1);
  cantFail(device.takeBack(own.data()));
  EXPECT_EQ(device.find(at), nullptr);
  EXPECT_TRUE(bool(device.find(reinterpret_cast<uint64_t>(other.data()))));
  llvm::Error again = device.takeBack(own.data());
  EXPECT_TRUE(bool(again));
  consumeError(std::move(again));
}

TEST(Device, CopiesWhatNobodyWroteAsSuch) {
  Device device;
  const uint64_t from = cantFail(device.allocate(200, "from")),
                 to = cantFail(device.allocate(200, "to"));
  cantFail(device.fill(from + 10, 1, 20));
  cantFail(device.fill(to, 2, 200));
  cantFail(device.copyWithin(to + 3, from, 100));
  EXPECT_EQ(device.unwritten(to, 200).count, 80u);
  EXPECT_EQ(device.unwritten(to, 200).first, 3u);
  EXPECT_EQ(device.unwritten(to + 13, 20).count, 0u);
  // Onto itself, forwards.
  cantFail(device.copyWithin(from + 5, from, 100));
  EXPECT_EQ(device.unwritten(from + 15, 20).count, 0u);
  EXPECT_EQ(device.unwritten(from + 10, 5).count, 5u);
  llvm::Error outside = device.copyWithin(to + 150, from, 100);
  EXPECT_TRUE(bool(outside));
  consumeError(std::move(outside));
}

TEST(Device, ModulesHaveVariablesOfTheirOwn) {
  auto parse = [](const char *value) {
    return cantFail(napkin::ptx::parse(
        std::string(".version 8.0\n.target sm_80\n.address_size 64\n"
                    ".global .u32 v = ") +
            value +
            ";\n.const .u32 c = 7;\n.global .u64 p = v;\n"
            ".entry k() { .shared .b32 s[3]; mov.u32 %r1, s; ret; }\n"
            ".entry bad() { nonsense.u32 %r1; ret; }\n",
        "m.ptx"));
  };
  Device device;
  auto one = parse("1"), two = parse("2");
  llvm::StringMap<uint64_t> first;
  cantFail(loadVariables(device, *one));
  device.exchangeSymbols(first);
  cantFail(loadVariables(device, *two));
  ASSERT_TRUE(device.symbol("v") && device.symbol("c") && device.symbol("p"));
  EXPECT_NE(first.lookup("v"), *device.symbol("v"));
  uint32_t value;
  cantFail(device.copyFromDevice(&value, first.lookup("v"), 4));
  EXPECT_EQ(value, 1u);
  uint64_t pointer;
  cantFail(device.copyFromDevice(&pointer, *device.symbol("p"), 8));
  EXPECT_EQ(pointer, *device.symbol("v"));
  EXPECT_TRUE(device.find(*device.symbol("c"))->readOnly);
}

TEST(Device, TellsWhatAKernelTakes) {
  auto module = cantFail(napkin::ptx::parse(
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".shared .b32 unused[99];\n"
      ".entry k(.param .u64 x) { .reg .b32 %r<2>; .shared .b32 s[3];\n"
      " mov.u32 %r1, s; ret; }\n"
      ".entry bad() { nonsense.u32; ret; }\n",
      "m.ptx"));
  EXPECT_EQ(cantFail(inspect(*module, "k")).staticSharedBytes, 12u);
  auto bad = inspect(*module, "bad");
  ASSERT_FALSE(bool(bad));
  EXPECT_TRUE(llvm::StringRef(toString(bad.takeError())).contains("m.ptx:7"));
}

TEST(Device, MemoryMovesInAndOut) {
  Device device;
  std::vector<char> bytes(64, 5);
  const char *where = bytes.data();
  const uint64_t at = cantFail(device.moveIn(std::move(bytes), true, "x"));
  EXPECT_EQ(device.unwritten(at, 64).count, 0u);
  EXPECT_EQ(device.find(at)->data, where);
  bytes = cantFail(device.moveOut(at));
  EXPECT_EQ(bytes.data(), where);
  EXPECT_TRUE(device.find(at)->freed);
  EXPECT_EQ(toString(device.moveOut(at).takeError()),
            "0x7f0000000000 is no live allocation of moved memory");
  const uint64_t fresh =
      cantFail(device.moveIn(std::vector<char>(64), false, "y"));
  EXPECT_EQ(device.unwritten(fresh, 64).count, 64u);
  EXPECT_EQ(toString(device.moveIn({}, true, "z").takeError()),
            "allocation 'z' of zero bytes");
}

// Threads of several host threads' blocks write bytes that share a word of
// bits.
TEST(Device, BlocksMarkBytesOfOneWord) {
  constexpr unsigned blocks = 2000;
  Device device;
  const uint64_t out = cantFail(device.allocate(3 * blocks));
  Ran ran = run(kernelText("mov.u32 %r0, %ctaid.x; mad.lo.u32 %r1, %r0, 3, %t;"
                           "cvt.u64.u32 %rd1, %r1; add.u64 %rd1, %rd0, %rd1;"
                           "st.global.u8 [%rd1], %r1;"),
                device, {out}, {{blocks, 1, 1}, {3, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  EXPECT_EQ(device.unwritten(out, 3 * blocks).count, 0u);
}

TEST(RaceGlobal, EventsLiveAsLongAsRecordsNameThem) {
  AccessEvents events;
  AccessEvent one, two;
  one.clock = 1;
  two.clock = 2;
  const uint32_t first = events.use(one);
  EXPECT_EQ(events.use(one), first);
  const uint32_t second = events.use(two);
  EXPECT_NE(second, first);
  events.drop(first);
  EXPECT_TRUE(events[first] == one);
  events.drop(first);
  // Its number is free, and what was last looked up is no longer meant.
  events.drop(second);
  one.clock = 3;
  const uint32_t third = events.use(one);
  EXPECT_TRUE(third == first || third == second);
  EXPECT_TRUE(events[third] == one);
}

TEST(RaceGlobal, PatternsWithoutANumber) {
  LanePatterns patterns;
  auto pattern = [](uint32_t k) {
    LanePattern p = LanePattern::of(0, 16, 0);
    for (unsigned b = 0; b < 4; ++b)
      p.lane[b] = uint8_t(k >> (5 * b) & 31);
    return p;
  };
  for (uint32_t k = 0; k < LanePatterns::none; ++k)
    ASSERT_EQ(patterns.numberOf(pattern(k)), k);
  EXPECT_EQ(patterns.numberOf(pattern(LanePatterns::none)), LanePatterns::none);
  EXPECT_EQ(patterns.numberOf(pattern(77)), 77);
  EXPECT_TRUE(patterns[77] == pattern(77).lane);
}

} // namespace
