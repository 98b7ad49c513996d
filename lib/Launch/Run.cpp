//===- Run.cpp - Arrays to a device, results and times back ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times are those between events of the device. All runs are asked for before
// any is waited for, behind some work that keeps the device busy meanwhile: so
// the host's calls take no part in them.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::launch;
using Role = executor::ManifestArray::Role;

namespace napkin::launch {

/// Takes the times of a program whose arrays are in place.
class Timer {
public:
  Timer(Program &program, llvm::StringMap<uint64_t> places, Stream &stream,
        const TimingOptions &options)
      : program(*program.loaded), places(std::move(places)), stream(stream),
        options(options) {}

  llvm::Expected<Times> measure();

private:
  /// Runs everything, with events before and after each kernel, or before and
  /// after all. One list of seconds for each stretch between two events.
  llvm::Expected<std::vector<std::vector<double>>> series(bool eachKernel);
  llvm::Error prepareFlush();
  /// Writes of the cache before the first run: some hundred microseconds, in
  /// which the host gets ahead. The executor is never behind.
  unsigned head() const { return program.session->info.isExecutor ? 0 : 8; }
  /// Writes to the whole cache `times` times.
  llvm::Error flush(unsigned times);
  llvm::Error launchAll();

  Program::Loaded &program;
  llvm::StringMap<uint64_t> places;
  Stream &stream;
  const TimingOptions &options;
  Buffer filler;
  uint64_t fillerBytes = 0;
};

} // namespace napkin::launch

llvm::Error Timer::prepareFlush() {
  if (!options.flushesCache && !head())
    return llvm::Error::success();
  constexpr uint64_t least = uint64_t(32) << 20;
  fillerBytes = std::max(2 * program.session->info.cacheBytes, least);
  return filler.allocate(*program.session, fillerBytes,
                         "what is written to flush the L2 cache");
}

llvm::Error Timer::flush(unsigned times) {
  for (unsigned i = 0; i < times; ++i)
    if (auto e = program.session->check(
            program.session->cuda.cuMemsetD8Async(filler.address(),
                                                  static_cast<unsigned char>(i),
                                                  fillerBytes, stream.handle),
            "flushing the L2 cache"))
      return e;
  return llvm::Error::success();
}

llvm::Error Timer::launchAll() {
  for (size_t k = 0; k < program.kernels.size(); ++k)
    if (auto e = program.launchKernel(k, places, stream.handle))
      return e;
  return llvm::Error::success();
}

llvm::Expected<std::vector<std::vector<double>>>
Timer::series(bool eachKernel) {
  const size_t stretches = eachKernel ? program.kernels.size() : 1;
  std::vector<Event> events;
  for (size_t i = 0; i < options.runs * (stretches + 1); ++i) {
    events.emplace_back(*program.session);
    if (auto e = events.back().create())
      return std::move(e);
  }
  if (auto e = flush(head()))
    return std::move(e);
  for (unsigned i = 0; i < options.warmups; ++i)
    if (auto e = launchAll())
      return std::move(e);
  size_t next = 0;
  for (unsigned i = 0; i < options.runs; ++i) {
    if (options.flushesCache)
      if (auto e = flush(1))
        return std::move(e);
    if (auto e = events[next++].record(stream))
      return std::move(e);
    for (size_t s = 0; s < stretches; ++s) {
      if (auto e = eachKernel ? program.launchKernel(s, places, stream.handle)
                              : launchAll())
        return std::move(e);
      if (auto e = events[next++].record(stream))
        return std::move(e);
    }
  }
  if (auto e = stream.wait())
    return std::move(e);
  std::vector<std::vector<double>> seconds(stretches);
  for (unsigned i = 0; i < options.runs; ++i)
    for (size_t s = 0; s < stretches; ++s) {
      const size_t at = i * (stretches + 1) + s;
      float milliseconds = 0;
      if (auto e = program.session->check(
              program.session->cuda.cuEventElapsedTime(
                  &milliseconds, events[at].handle, events[at + 1].handle),
              "reading a time"))
        return std::move(e);
      seconds[s].push_back(milliseconds / 1e3);
    }
  return seconds;
}

static double median(std::vector<double> values) {
  llvm::sort(values);
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half]
                           : (values[half - 1] + values[half]) / 2;
}

llvm::Expected<Times> Timer::measure() {
  if (auto e = prepareFlush())
    return std::move(e);
  auto all = series(false);
  if (!all)
    return all.takeError();
  Times times;
  const std::vector<double> &whole = all->front();
  times.median = median(whole);
  times.least = *llvm::min_element(whole);
  times.most = *llvm::max_element(whole);
  times.kernels = {times.median};
  if (program.kernels.size() == 1)
    return times;
  auto each = series(true);
  if (!each)
    return each.takeError();
  times.kernels.clear();
  for (const std::vector<double> &kernel : *each)
    times.kernels.push_back(median(kernel));
  return times;
}

namespace {
/// The arrays of a manifest on the device.
class Arrays {
public:
  Arrays(const Session &session, const executor::Manifest &manifest)
      : session(session), manifest(manifest) {}

  llvm::Error place(const executor::HostArrays &host, const Stream &stream);
  llvm::Error fetch(executor::HostArrays &host) const;
  std::vector<uint64_t> addresses() const {
    std::vector<uint64_t> all;
    for (const Buffer &buffer : buffers)
      all.push_back(buffer.address());
    return all;
  }

private:
  const Session &session;
  const executor::Manifest &manifest;
  std::vector<Buffer> buffers;
};
} // namespace

llvm::Error Arrays::place(const executor::HostArrays &host,
                          const Stream &stream) {
  buffers.resize(manifest.arrays.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    const executor::ManifestArray &array = manifest.arrays[i];
    const std::string name = "'" + array.name + "'";
    if (auto e = buffers[i].allocate(session, array.bytes, name))
      return e;
    if (!array.bytes)
      continue;
    const Address to = buffers[i].address();
    if (array.role == Role::Output || array.role == Role::Temporary) {
      if (auto e = session.check(session.cuda.cuMemsetD8Async(
                                     to, 0xff, array.bytes, stream.handle),
                                 "filling " + name))
        return e;
      continue;
    }
    if (!array.strides.empty())
      return failure("input " + name +
                     " has strides: launch() takes it where it lies, arrays of "
                     "the host are only moved dense");
    auto given = host.find(array.name);
    const uint64_t bytes = given == host.end() ? 0 : given->second.size();
    if (bytes != array.bytes)
      return failure(fmt::format("input '{}' has {} bytes, the manifest says "
                                 "{}",
                                 array.name, bytes, array.bytes));
    if (auto e = session.check(
            session.cuda.cuMemcpyHtoD_v2(to, given->second.data(), bytes),
            "copying " + name + " to the device"))
      return e;
  }
  return llvm::Error::success();
}

llvm::Error Arrays::fetch(executor::HostArrays &host) const {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const executor::ManifestArray &array = manifest.arrays[i];
    if (array.role != Role::Output && array.role != Role::InOut)
      continue;
    std::vector<char> content(array.bytes);
    if (array.bytes)
      if (auto e = session.check(
              session.cuda.cuMemcpyDtoH_v2(content.data(), buffers[i].address(),
                                           array.bytes),
              "copying '" + array.name + "' from the device"))
        return e;
    host[array.name] = std::move(content);
  }
  return llvm::Error::success();
}

llvm::Expected<std::optional<Times>>
napkin::launch::run(const Device &device, llvm::StringRef ptx,
                    const executor::Manifest &manifest,
                    executor::HostArrays &arrays,
                    const TimingOptions &options) {
  const Session &session = *device.session();
  Session::Current current(session);
  if (auto e = current.takeError())
    return std::move(e);
  auto program = Program::load(device, ptx, manifest);
  if (!program)
    return program.takeError();
  Stream stream(session);
  if (auto e = stream.create())
    return std::move(e);
  Arrays placed(session, manifest);
  if (auto e = placed.place(arrays, stream))
    return std::move(e);
  if (auto e = program->launch(placed.addresses(), stream.handle))
    return std::move(e);
  if (auto e = stream.wait())
    return std::move(e);
  // Before times are taken, which change arrays that are given and written.
  if (auto e = placed.fetch(arrays))
    return std::move(e);
  if (!options.runs)
    return std::nullopt;
  llvm::StringMap<uint64_t> places;
  for (auto [array, address] : llvm::zip(manifest.arrays, placed.addresses()))
    places[array.name] = address;
  auto times = Timer(*program, std::move(places), stream, options).measure();
  if (!times)
    return times.takeError();
  return *times;
}
