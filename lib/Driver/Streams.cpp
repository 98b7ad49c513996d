//===- Streams.cpp - Streams and events ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Work is done when it is asked for, so that nothing is ever under way. Events
// note the time of the host: differences say how long the executor took, not
// what a GPU would take.
//
//===----------------------------------------------------------------------===//

#include "State.h"

using namespace napkin::driver;
using Clock = std::chrono::steady_clock;

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

static Result createStream(Handle *to, unsigned flags, int priority) {
  return call(Need::Context, [&](State &state) {
    if (!to || flags > 1)
      return CUDA_ERROR_INVALID_VALUE;
    auto stream = std::make_unique<Stream>();
    stream->context = state.current();
    stream->flags = flags;
    stream->priority = std::min(0, std::max(priority, -5));
    stream->id = ++state.numStreams;
    *to = state.streams.add(std::move(stream));
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuStreamCreate(Handle *to, unsigned flags) {
  return createStream(to, flags, 0);
}
NAPKIN_CUDA cuStreamCreateWithPriority(Handle *to, unsigned flags,
                                       int priority) {
  return createStream(to, flags, priority);
}

NAPKIN_CUDA cuStreamDestroy_v2(Handle handle) {
  return call(Need::Nothing, [&](State &state) {
    return state.streams.erase(handle) ? CUDA_SUCCESS
                                       : CUDA_ERROR_INVALID_HANDLE;
  });
}

/// Success if `handle` is a stream: all work in it is done.
static Result idle(Handle handle) {
  return call(Need::Context, [&](State &state) {
    return isStream(state, handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

NAPKIN_CUDA cuStreamSynchronize(Handle stream) { return idle(stream); }
NAPKIN_CUDA cuStreamQuery(Handle stream) { return idle(stream); }

NAPKIN_CUDA cuStreamWaitEvent(Handle stream, Handle event, unsigned) {
  return call(Need::Context, [&](State &state) {
    return isStream(state, stream) && state.events.find(event)
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_HANDLE;
  });
}

/// Gives `to` what `get` says of a stream; the default ones are all alike.
template <typename T, typename Get>
static Result streamProperty(Handle handle, T *to, T ofDefault, Get get) {
  return call(Need::Context, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (!isStream(state, handle))
      return CUDA_ERROR_INVALID_HANDLE;
    Stream *stream = state.streams.find(handle);
    *to = stream ? get(*stream) : ofDefault;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuStreamGetFlags(Handle handle, unsigned *flags) {
  return streamProperty(handle, flags, 0u, [](Stream &s) { return s.flags; });
}
NAPKIN_CUDA cuStreamGetPriority(Handle handle, int *priority) {
  return streamProperty(handle, priority, 0,
                        [](Stream &s) { return s.priority; });
}
NAPKIN_CUDA cuStreamGetId(Handle handle, unsigned long long *id) {
  const unsigned long long own = reinterpret_cast<uintptr_t>(handle);
  return streamProperty(handle, id, own, [](Stream &s) {
    return static_cast<unsigned long long>(s.id + 2);
  });
}
NAPKIN_CUDA cuStreamGetCtx(Handle handle, Handle *to) {
  return streamProperty(handle, to, Handle(State::get().current()),
                        [](Stream &s) { return Handle(s.context); });
}
NAPKIN_CUDA cuStreamGetCtx_v2(Handle handle, Handle *to, Handle *green) {
  if (green)
    *green = nullptr;
  return cuStreamGetCtx(handle, to);
}
NAPKIN_CUDA cuStreamGetDevice(Handle handle, int *device) {
  return streamProperty(handle, device, 0, [](Stream &) { return 0; });
}

// Nothing is captured: see Missing.cpp for what would begin to.
NAPKIN_CUDA cuStreamIsCapturing(Handle handle, int *status) {
  return streamProperty(handle, status, 0, [](Stream &) { return 0; });
}
NAPKIN_CUDA cuStreamGetCaptureInfo_v2(Handle handle, int *status, uint64_t *id,
                                      Handle *, Handle *, size_t *) {
  if (id)
    *id = 0;
  return cuStreamIsCapturing(handle, status);
}
NAPKIN_CUDA cuStreamGetCaptureInfo_v3(Handle handle, int *status, uint64_t *id,
                                      Handle *, Handle *, Handle *, size_t *) {
  if (id)
    *id = 0;
  return cuStreamIsCapturing(handle, status);
}
NAPKIN_CUDA cuThreadExchangeStreamCaptureMode(int *mode) {
  static thread_local int current = 0;
  if (!mode)
    return CUDA_ERROR_INVALID_VALUE;
  std::swap(current, *mode);
  return CUDA_SUCCESS;
}

NAPKIN_CUDA cuLaunchHostFunc(Handle stream, void (*function)(void *),
                             void *data) {
  if (!function)
    return CUDA_ERROR_INVALID_VALUE;
  if (Result result = idle(stream))
    return result;
  function(data);
  return CUDA_SUCCESS;
}

NAPKIN_CUDA cuStreamAddCallback(Handle stream,
                                void (*function)(Handle, Result, void *),
                                void *data, unsigned) {
  if (!function)
    return CUDA_ERROR_INVALID_VALUE;
  if (Result result = idle(stream))
    return result;
  function(stream, CUDA_SUCCESS, data);
  return CUDA_SUCCESS;
}

NAPKIN_CUDA cuStreamAttachMemAsync(Handle stream, Address, size_t, unsigned) {
  return idle(stream);
}
NAPKIN_CUDA cuStreamSetAttribute(Handle stream, int, const void *) {
  return idle(stream);
}
NAPKIN_CUDA cuStreamCopyAttributes(Handle to, Handle from) {
  if (Result result = idle(from))
    return result;
  return idle(to);
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

/// CU_EVENT_DISABLE_TIMING.
static constexpr unsigned eventWithoutTime = 2;

NAPKIN_CUDA cuEventCreate(Handle *to, unsigned flags) {
  return call(Need::Context, [&](State &state) {
    if (!to || flags > 7)
      return CUDA_ERROR_INVALID_VALUE;
    auto event = std::make_unique<Event>();
    event->flags = flags;
    *to = state.events.add(std::move(event));
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuEventDestroy_v2(Handle handle) {
  return call(Need::Nothing, [&](State &state) {
    return state.events.erase(handle) ? CUDA_SUCCESS
                                      : CUDA_ERROR_INVALID_HANDLE;
  });
}

static Result record(Handle handle, Handle stream) {
  return call(Need::Context, [&](State &state) {
    Event *event = state.events.find(handle);
    if (!event || !isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    event->time = Clock::now();
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuEventRecord(Handle event, Handle stream) {
  return record(event, stream);
}
NAPKIN_CUDA cuEventRecordWithFlags(Handle event, Handle stream, unsigned) {
  return record(event, stream);
}

/// An event that was never recorded counts as done, as CUDA has it.
static Result isDone(Handle handle) {
  return call(Need::Context, [&](State &state) {
    return state.events.find(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

NAPKIN_CUDA cuEventQuery(Handle event) { return isDone(event); }
NAPKIN_CUDA cuEventSynchronize(Handle event) { return isDone(event); }

static Result elapsed(float *milliseconds, Handle from, Handle to) {
  return call(Need::Context, [&](State &state) {
    Event *begin = state.events.find(from), *end = state.events.find(to);
    if (!milliseconds)
      return CUDA_ERROR_INVALID_VALUE;
    if (!begin || !end || (begin->flags | end->flags) & eventWithoutTime ||
        !begin->time || !end->time)
      return CUDA_ERROR_INVALID_HANDLE;
    *milliseconds =
        std::chrono::duration<float, std::milli>(*end->time - *begin->time)
            .count();
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuEventElapsedTime(float *milliseconds, Handle from, Handle to) {
  return elapsed(milliseconds, from, to);
}
NAPKIN_CUDA cuEventElapsedTime_v2(float *milliseconds, Handle from, Handle to) {
  return elapsed(milliseconds, from, to);
}
