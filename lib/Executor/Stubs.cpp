#include "Decoder.h"
#include "Launch.h"
#include "Handlers.h"
#include "MatrixShape.h"
#include "napkin/Executor/Manifest.h"
using namespace napkin::executor;
void napkin::executor::raceGlobal(Warp &, const Instr &, const uint64_t *, uint32_t, unsigned, Access) {}
