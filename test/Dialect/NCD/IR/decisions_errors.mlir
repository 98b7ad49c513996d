// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{unknown subject 'tiles'; known are group, stream, inside}}
#a = #ncd.decision<tiles, []>

// -----

// expected-error @below {{unknown cause 'why'; known are pinned, batch, whole}}
#a = #ncd.decision<warps = 4, [<why>]>
