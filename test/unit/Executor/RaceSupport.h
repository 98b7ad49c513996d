//===- RaceSupport.h - Small kernels that race or do not -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the tests of the memory model have in common.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_EXECUTOR_RACESUPPORT_H
#define NAPKIN_TEST_UNIT_EXECUTOR_RACESUPPORT_H

#include "Support.h"

namespace napkin::executor {

struct Launch {
  unsigned blocks = 1, threads = 32, cluster = 1;
};

/// The first trap of `body` ("" if none), under several orders of the warps. It
/// sees 4 KiB of zeros at %rd0, its block in %r40, its thread in %t, and 1024
/// bytes of shared memory `s` at %r41.
inline std::string trap(const std::string &body, Launch where,
                        const std::string &before = "") {
  std::string text = kernelText("mov.u32 %r40, %ctaid.x; mov.u32 %r41, s; "
                                "mov.u32 %r42, %cluster_ctarank; shr.u32 %r43, "
                                "%t, 5; and.b32 %r44, %t, 31; mov.b32 %r45, 7;"
                                "setp.eq.u32 %p1, %t, 0;" +
                                    body,
                                1,
                                ".shared .align 1024 .b8 s[1024]; .shared "
                                ".align 8 .b64 bar;" +
                                    before,
                                "sm_90a");
  std::string found;
  for (unsigned seed = 0; seed < 3 && found.empty(); ++seed) {
    Device device;
    uint64_t data = upload(device, std::vector<uint32_t>(1024), "data");
    Options options;
    options.seed = seed;
    options.completion = seed == 1 ? Completion::Earliest : Completion::Latest;
    Ran ran = run(
        text, device, {data},
        {{where.blocks, 1, 1}, {where.threads, 1, 1}, {where.cluster, 1, 1}},
        options);
    EXPECT_EQ(ran.error, "");
    found = ran.trap();
  }
  return found;
}

} // namespace napkin::executor

#endif // NAPKIN_TEST_UNIT_EXECUTOR_RACESUPPORT_H
