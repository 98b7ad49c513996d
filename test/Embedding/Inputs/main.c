/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A program outside of Napkin's build: compiles a diagram, and one with a
 * mistake. */

#include <napkin-c/Compiler.h>
#include <stdio.h>
#include <string.h>

static const char diagram[] =
    "ncd.diagram @twice(%x: !ncd.array<n=256, f32>) -> !ncd.array<n=256, f32> "
    "{\n"
    "  %y = ncd.map %x {\n"
    "  ^bb0(%e: f32):\n"
    "    %r = arith.addf %e, %e : f32\n"
    "    ncd.yield %r : f32\n"
    "  } : !ncd.array<n=256, f32> -> !ncd.array<n=256, f32>\n"
    "  ncd.return %y : !ncd.array<n=256, f32>\n"
    "}\n";

int main(void) {
  NapkinCompilation *good = napkinCompile(diagram, strlen(diagram), NULL);
  if (napkinError(good)) {
    puts(napkinError(good));
    return 1;
  }
  printf("%s%s%s\n", napkinPTX(good), napkinManifest(good), napkinReport(good));
  napkinDispose(good);

  NapkinOptions options = napkinDefaultOptions();
  options.name = "twice.mlir";
  NapkinCompilation *bad = napkinCompile(diagram, 40, &options);
  puts(napkinError(bad) ? napkinError(bad) : "no error");
  napkinDispose(bad);
  napkinDispose(NULL);
  return 0;
}
