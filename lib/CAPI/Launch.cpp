//===- Launch.cpp - Run kernels on a GPU, from C ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See napkin-c/Launch.h.
//
//===----------------------------------------------------------------------===//

#include "napkin-c/Launch.h"

#include "napkin/Launch/Launch.h"

#include <cstring>

using namespace napkin;

struct NapkinLaunchDevice {
  launch::Device device;
  std::string description;
};

struct NapkinLaunchProgram {
  launch::Program program;
  std::vector<std::vector<int64_t>> sizes;
  std::vector<NapkinLaunchArray> arrays;
};

/// Hands the message of `failed` over; whether there is none.
static bool succeeded(llvm::Error failed, char **error) {
  const bool isFine = !failed;
  std::string text = toString(std::move(failed));
  if (error)
    *error = isFine ? nullptr : strdup(text.c_str());
  return isFine;
}

void napkinLaunchFree(char *text) { std::free(text); }

NapkinLaunchDevice *napkinLaunchOpenDevice(int ordinal, char **error) {
  auto opened = launch::Device::open(ordinal);
  if (!succeeded(opened.takeError(), error))
    return nullptr;
  return new NapkinLaunchDevice{*opened, launch::describe(opened->info())};
}

void napkinLaunchCloseDevice(NapkinLaunchDevice *device) { delete device; }

const char *napkinLaunchDescription(const NapkinLaunchDevice *device) {
  return device->description.c_str();
}

bool napkinLaunchIsExecutor(const NapkinLaunchDevice *device) {
  return device->device.info().isExecutor;
}

static const char *nameOf(executor::ManifestArray::Role role) {
  using Role = executor::ManifestArray::Role;
  return role == Role::Input    ? "input"
         : role == Role::Output ? "output"
         : role == Role::InOut  ? "inout"
                                : "temporary";
}

NapkinLaunchProgram *napkinLaunchLoad(NapkinLaunchDevice *device,
                                      const char *ptx, const char *manifest,
                                      char **error) {
  auto parsed = executor::parseManifest(manifest, "manifest");
  if (!succeeded(parsed.takeError(), error))
    return nullptr;
  auto loaded = launch::Program::load(device->device, ptx, std::move(*parsed));
  if (!succeeded(loaded.takeError(), error))
    return nullptr;
  auto made = std::make_unique<NapkinLaunchProgram>(
      NapkinLaunchProgram{std::move(*loaded), {}, {}});
  for (const executor::ManifestArray &array : made->program.manifest().arrays) {
    std::vector<int64_t> &sizes = made->sizes.emplace_back();
    for (const auto &[name, size] : array.axes)
      sizes.push_back(size);
    made->arrays.push_back({array.name.c_str(), nameOf(array.role),
                            array.element.c_str(), array.bytes, array.alignment,
                            sizes.size(), sizes.data()});
  }
  return made.release();
}

void napkinLaunchUnload(NapkinLaunchProgram *program) { delete program; }

size_t napkinLaunchNumArrays(const NapkinLaunchProgram *program) {
  return program->arrays.size();
}

const NapkinLaunchArray *napkinLaunchArray(const NapkinLaunchProgram *program,
                                           size_t index) {
  return index < program->arrays.size() ? &program->arrays[index] : nullptr;
}

bool napkinLaunch(NapkinLaunchProgram *program, const uint64_t *addresses,
                  size_t numAddresses, void *stream, char **error) {
  return succeeded(program->program.launch({addresses, numAddresses}, stream),
                   error);
}
