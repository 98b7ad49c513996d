#include "Decoder.h"
#include "Launch.h"
#include "Handlers.h"
#include "MatrixShape.h"
#include "napkin/Executor/Manifest.h"
using namespace napkin::executor;
void napkin::executor::raceGlobal(Warp &, const Instr &, const uint64_t *, uint32_t, unsigned, Access) {}
void napkin::executor::startCluster(llvm::ArrayRef<Block *>) {}
void napkin::executor::warpEnded(Warp &) {}
bool napkin::executor::blockEnded(Block &) { return true; }
bool napkin::executor::completePending(llvm::ArrayRef<Block *>) { return false; }
std::string napkin::executor::describeWait(Warp &w) { return "barrier " + std::to_string(w.waitBarrier); }
void Machine::cacheAccess(Warp &, const uint64_t *, unsigned, Access) {}
void napkin::executor::memoryFence(Warp &w, const Instr &i, uint32_t) { if (i.small0 == 2) fenceProxy(w); }
void napkin::executor::clusterArrive(Warp &, const Instr &, uint32_t) {}
void napkin::executor::clusterWait(Warp &, const Instr &, uint32_t) {}
bool napkin::executor::decodeBulk(Decoder &d) { return d.fail("not supported"); }
bool napkin::executor::decodeStAsync(Decoder &d) { return d.fail("not supported"); }
bool napkin::executor::decodeRedAsync(Decoder &d) { return d.fail("not supported"); }
void napkin::executor::faithfulMultiply(float *, const float *, const float *, unsigned, unsigned, unsigned, napkin::ptx::Type, unsigned, bool, bool) {}
llvm::Expected<std::vector<char>> napkin::executor::encodeTensorMap(uint64_t, const TensorMapInfo &) { return std::vector<char>(128); }
