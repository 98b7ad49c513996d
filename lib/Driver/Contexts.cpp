//===- Contexts.cpp - Contexts, the primary one included -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Contexts share the memory and the modules of the one device: a handle works
// in each.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace napkin::driver;

static Context *makeContext(State &state, uint32_t flags) {
  auto context = std::make_unique<Context>();
  context->flags = flags;
  return state.contexts.add(std::move(context));
}

static Result createContext(Handle *to, uint32_t flags, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    Context *context = makeContext(state, flags);
    State::contextStack().push_back(context);
    *to = context;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxCreate_v2(Handle *to, unsigned flags, int device) {
  return createContext(to, flags, device);
}

NAPKIN_CUDA cuCtxCreate_v3(Handle *to, const void *, int count, unsigned flags,
                           int device) {
  if (count)
    return refuse(CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY,
                  "contexts with a part of the multiprocessors are not there");
  return createContext(to, flags, device);
}

NAPKIN_CUDA cuCtxCreate_v4(Handle *to, const void *parameters, unsigned flags,
                           int device) {
  // Two lists: of affinities and of graphics contexts.
  struct Parameters {
    const void *affinities;
    int count;
    const void *graphics;
  };
  const auto *given = static_cast<const Parameters *>(parameters);
  if (given && (given->count || given->graphics))
    return refuse(CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY,
                  "contexts with a part of the multiprocessors, and those for "
                  "graphics, are not there");
  return createContext(to, flags, device);
}

NAPKIN_CUDA cuCtxDestroy_v2(Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Context *context = state.contexts.find(handle);
    if (!context || context->isPrimary)
      return CUDA_ERROR_INVALID_CONTEXT;
    llvm::erase(State::contextStack(), context);
    state.contexts.erase(handle);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxPushCurrent_v2(Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Context *context = state.contexts.find(handle);
    if (!context)
      return CUDA_ERROR_INVALID_CONTEXT;
    State::contextStack().push_back(context);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxPopCurrent_v2(Handle *to) {
  return call(Need::Initialized, [&](State &state) {
    if (!state.current())
      return CUDA_ERROR_INVALID_CONTEXT;
    if (to)
      *to = state.current();
    State::contextStack().pop_back();
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxSetCurrent(Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Context *context = state.contexts.find(handle);
    if (handle && !context)
      return CUDA_ERROR_INVALID_CONTEXT;
    std::vector<Context *> &stack = State::contextStack();
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back(context);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetCurrent(Handle *to) {
  return call(Need::Nothing, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (!state.isInitialized)
      return CUDA_ERROR_NOT_INITIALIZED;
    *to = state.current();
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetDevice(int *device) {
  return call(Need::Context, [&](State &) {
    if (!device)
      return CUDA_ERROR_INVALID_VALUE;
    *device = 0;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetDevice_v2(int *device, Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    if (!device)
      return CUDA_ERROR_INVALID_VALUE;
    *device = 0;
    return handle && !state.contexts.find(handle) ? CUDA_ERROR_INVALID_CONTEXT
                                                  : CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetFlags(unsigned *flags) {
  return call(Need::Context, [&](State &state) {
    if (!flags)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = state.current()->flags;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxSetFlags(unsigned flags) {
  return call(Need::Context, [&](State &state) {
    state.current()->flags = flags;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetId(Handle handle, unsigned long long *id) {
  return call(Need::Initialized, [&](State &state) {
    if (!id)
      return CUDA_ERROR_INVALID_VALUE;
    Context *context = handle ? state.contexts.find(handle) : state.current();
    *id = reinterpret_cast<uintptr_t>(context);
    return context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
  });
}

NAPKIN_CUDA cuCtxGetApiVersion(Handle handle, unsigned *version) {
  return call(Need::Initialized, [&](State &state) {
    if (!version)
      return CUDA_ERROR_INVALID_VALUE;
    *version = 3020;
    return handle && !state.contexts.find(handle) ? CUDA_ERROR_INVALID_CONTEXT
                                                  : CUDA_SUCCESS;
  });
}

// All work is done when it is asked for.
NAPKIN_CUDA cuCtxSynchronize() {
  return call(Need::Context, [](State &) { return CUDA_SUCCESS; });
}
NAPKIN_CUDA cuCtxSynchronize_v2(Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    return state.contexts.find(handle) ? CUDA_SUCCESS
                                       : CUDA_ERROR_INVALID_CONTEXT;
  });
}

NAPKIN_CUDA cuCtxSetLimit(int limit, size_t value) {
  return call(Need::Context, [&](State &state) {
    if (limit < 0 || limit > 6)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    state.current()->limits[limit] = value;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetLimit(size_t *value, int limit) {
  // Stack of a thread, buffer of printf, heap of malloc, the two of dynamic
  // parallelism (not there), fetch granularity, persisting L2 lines.
  static constexpr size_t defaults[] = {1024, 1 << 20, 8 << 20, 0, 0, 128, 0};
  return call(Need::Context, [&](State &state) {
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    if (limit < 0 || limit > 6)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    auto &limits = state.current()->limits;
    auto set = limits.find(limit);
    *value = set == limits.end() ? defaults[limit] : set->second;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return call(Need::Context, [&](State &) {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
    return CUDA_SUCCESS;
  });
}

// Hints, that change nothing that is counted.
NAPKIN_CUDA cuCtxSetCacheConfig(int) {
  return call(Need::Context, [](State &) { return CUDA_SUCCESS; });
}
NAPKIN_CUDA cuCtxGetCacheConfig(int *config) {
  return call(Need::Context, [&](State &) {
    if (config)
      *config = 0;
    return config ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}
NAPKIN_CUDA cuCtxSetSharedMemConfig(int) {
  return call(Need::Context, [](State &) { return CUDA_SUCCESS; });
}
NAPKIN_CUDA cuCtxGetSharedMemConfig(int *config) {
  return call(Need::Context, [&](State &) {
    if (config)
      *config = 1; // four-byte banks
    return config ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}
NAPKIN_CUDA cuCtxResetPersistingL2Cache() {
  return call(Need::Context, [](State &) { return CUDA_SUCCESS; });
}

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

NAPKIN_CUDA cuDevicePrimaryCtxRetain(Handle *to, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    if (!state.primary) {
      state.primary = makeContext(state, state.primaryFlags);
      state.primary->isPrimary = true;
    }
    ++state.primaryReferences;
    *to = state.primary;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDevicePrimaryCtxRelease_v2(int device) {
  return call(Need::Nothing, [&](State &state) {
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    if (!state.primaryReferences)
      return CUDA_ERROR_INVALID_CONTEXT;
    --state.primaryReferences;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  return call(Need::Initialized, [&](State &state) {
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    state.primaryFlags = flags;
    if (state.primary)
      state.primary->flags = flags;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDevicePrimaryCtxGetState(int device, unsigned *flags,
                                       int *active) {
  return call(Need::Initialized, [&](State &state) {
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    if (flags)
      *flags = state.primaryFlags;
    if (active)
      *active = state.primaryReferences > 0;
    return CUDA_SUCCESS;
  });
}

/// Frees what the program left, so that a trap need not be the end of it.
NAPKIN_CUDA cuDevicePrimaryCtxReset_v2(int device) {
  return call(Need::Nothing, [&](State &state) {
    if (device)
      return CUDA_ERROR_INVALID_DEVICE;
    if (!state.isInitialized)
      return CUDA_ERROR_NOT_INITIALIZED;
    for (auto it = state.allocations.begin(); it != state.allocations.end();)
      if (it->second.kind == Allocation::Kind::Device) {
        llvm::consumeError(state.device->free(it->first));
        state.memoryTaken -= it->second.bytes;
        it = state.allocations.erase(it);
      } else {
        ++it;
      }
    state.sticky = CUDA_SUCCESS;
    return CUDA_SUCCESS;
  });
}
