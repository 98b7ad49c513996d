// RUN: napkin-opt %s --ncd-schedule --ncd-derive-stream --ncd-choose-instructions | FileCheck %s
// RUN: napkin-opt %s --ncd-schedule=target=sm_89 --ncd-derive-stream --ncd-choose-instructions=target=sm_89 | FileCheck %s --check-prefix=ADA
// RUN: napkin-opt %s --ncd-schedule=allow-tf32 --ncd-derive-stream --ncd-choose-instructions=allow-tf32 | FileCheck %s --check-prefix=ROUND

// Each element type by the row of the table that multiplies it, in the step of a
// stream too, which is written anew.
// CHECK-LABEL: @bf16
// CHECK: ncd.contract {{.*}} as <"mma.m16n8k16.bf16", {{.*}} :
ncd.diagram @bf16(%a: !ncd.array<m=64, k=64, bf16>, %b: !ncd.array<k=64, n=64, bf16>) -> !ncd.array<m=64, n=64, f32> attributes {ncd.pin = {stream = #ncd.partition<k=32>}} {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, bf16>, !ncd.array<k=64, n=64, bf16> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// f32 goes to tensor cores only where rounding is allowed.
// CHECK-LABEL: @f32
// CHECK: ncd.contract {{.*}} as <"fma.f32", {{.*}} :
// ROUND-LABEL: @f32
// ROUND: ncd.contract {{.*}} as <"mma.m16n8k8.tf32", {{.*}} :
ncd.diagram @f32(%a: !ncd.array<m=64, k=64, f32>, %b: !ncd.array<k=64, n=64, f32>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f32>, !ncd.array<k=64, n=64, f32> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: @tf32
// CHECK: ncd.contract {{.*}} as <"mma.m16n8k8.tf32", {{.*}} :
ncd.diagram @tf32(%a: !ncd.array<m=64, k=64, tf32>, %b: !ncd.array<k=64, n=64, tf32>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, tf32>, !ncd.array<k=64, n=64, tf32> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: @f64
// CHECK: ncd.contract {{.*}} as <"mma.m8n8k4.f64", {{.*}} :
ncd.diagram @f64(%a: !ncd.array<m=64, k=64, f64>, %b: !ncd.array<k=64, n=64, f64>) -> !ncd.array<m=64, n=64, f64> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f64>, !ncd.array<k=64, n=64, f64> -> !ncd.array<m=64, n=64, f64>
  ncd.return %c : !ncd.array<m=64, n=64, f64>
}

// Sums of integers are streamed with a state of integers.
// CHECK-LABEL: @i8
// CHECK: ncd.stream "k" {{.*}} state(!ncd.array<m=64, n=64, i32>)
// CHECK: ncd.contract {{.*}} as <"mma.m16n8k32.i8", {{.*}} :
ncd.diagram @i8(%a: !ncd.array<m=64, k=64, i8>, %b: !ncd.array<k=64, n=64, i8>) -> !ncd.array<m=64, n=64, i32> attributes {ncd.pin = {stream = #ncd.partition<k=32>}} {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, i8>, !ncd.array<k=64, n=64, i8> -> !ncd.array<m=64, n=64, i32>
  ncd.return %c : !ncd.array<m=64, n=64, i32>
}

// Eight bits of float widen, exactly, where no instruction takes them.
// CHECK-LABEL: @f8
// CHECK: ncd.contract {{.*}} as <"mma.m16n8k16.f16", {{.*}} :
// ADA-LABEL: @f8
// ADA: ncd.contract {{.*}} as <"mma.m16n8k32.f8E4M3FN", {{.*}} :
ncd.diagram @f8(%a: !ncd.array<m=64, k=64, f8E4M3FN>, %b: !ncd.array<k=64, n=64, f8E4M3FN>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f8E4M3FN>, !ncd.array<k=64, n=64, f8E4M3FN> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// A vector gives no columns: no contract is left to choose for.
// CHECK-LABEL: @vector
// CHECK-NOT: ncd.contract
// CHECK: ncd.return
ncd.diagram @vector(%a: !ncd.array<m=64, k=64, bf16>, %b: !ncd.array<k=64, bf16>) -> !ncd.array<m=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, bf16>, !ncd.array<k=64, bf16> -> !ncd.array<m=64, f32>
  ncd.return %c : !ncd.array<m=64, f32>
}

// Three factors: the vector is multiplied into a matrix, in f32; then one
// product of two.
// CHECK-LABEL: @three
// CHECK: ncd.contract %{{[^,]*}}, %{{[^,]*}} over [k]{{.*}} as <"fma.f32", {{.*}} :
// CHECK: ncd.return
ncd.diagram @three(%a: !ncd.array<m=64, k=64, bf16>, %b: !ncd.array<k=64, n=64, bf16>, %d: !ncd.array<k=64, bf16>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b, %d over [k] : !ncd.array<m=64, k=64, bf16>, !ncd.array<k=64, n=64, bf16>, !ncd.array<k=64, bf16> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}
