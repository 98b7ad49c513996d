//===- Print.cpp - printf and assert of kernels ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What nvcc makes of printf and assert: calls of vprintf with a format and a
// buffer of arguments, each at a multiple of its size, and of __assertfail.
//
//===----------------------------------------------------------------------===//

#include "Machine/Handlers.h"
#include "Machine/Launch.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

namespace {

/// The memory of one lane.
struct Reader {
  Warp &w;
  const Instr &i;
  unsigned lane;
  uint64_t address = 0;

  bool bytes(uint64_t from, void *to, unsigned count) {
    Place place =
        translate(w, i, lane, from, count, SpaceGeneric, Access::Read);
    if (place.host)
      std::memcpy(to, place.host, count);
    return place.host;
  }
  /// At most 4096 characters.
  std::string text(uint64_t from) {
    std::string result;
    for (char c; result.size() < 4096 && bytes(from++, &c, 1) && c;)
      result += c;
    return result;
  }
  /// The next argument.
  template <class T>
  T next() {
    T value = T();
    address = (address + sizeof(T) - 1) & ~uint64_t(sizeof(T) - 1);
    bytes(address, &value, sizeof(T));
    address += sizeof(T);
    return value;
  }
};

/// A 64-bit parameter of a call, in the lane's local memory.
uint64_t argumentAt(Warp &w, unsigned lane, uint32_t offset) {
  uint64_t value;
  std::memcpy(&value,
              w.block->local +
                  (uint64_t(w.index) * lanes + lane) * w.block->localBytes +
                  offset,
              8);
  return value;
}

template <class T>
std::string formatted(const std::string &specification, T value) {
  char text[512];
  int size = std::snprintf(text, sizeof text, specification.c_str(), value);
  return std::string(text, std::clamp<int>(size, 0, sizeof text - 1));
}

} // namespace

/// The text of one lane; `count` receives how many arguments the format names.
static std::string print(Reader &reader, llvm::StringRef format, int &count) {
  std::string out;
  count = 0;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    if (++at < format.size() && format[at] == '%') {
      out += '%';
      continue;
    }
    // Flags, width and precision are passed on, sizes are not.
    std::string specification = "%";
    bool isWide = false;
    for (; at < format.size() &&
           (llvm::isDigit(format[at]) ||
            llvm::StringRef("-+ #.*hljzt").contains(format[at]));
         ++at) {
      if (format[at] == '*')
        specification +=
            std::to_string(std::clamp(reader.next<int32_t>(), -200, 200));
      else if (llvm::StringRef("hljzt").contains(format[at]))
        isWide |= format[at] != 'h';
      else if (specification.size() < 12)
        specification += format[at];
    }
    if (at == format.size())
      break;
    const char conversion = format[at];
    ++count;
    if (llvm::StringRef("diouxX").contains(conversion)) {
      specification += "ll";
      specification += conversion;
      bool isSigned = conversion == 'd' || conversion == 'i';
      long long value = isWide     ? reader.next<int64_t>()
                        : isSigned ? reader.next<int32_t>()
                                   : int64_t(reader.next<uint32_t>());
      out += formatted(specification, value);
    } else if (llvm::StringRef("fFeEgGaA").contains(conversion)) {
      out += formatted(specification + conversion, reader.next<double>());
    } else if (conversion == 'c') {
      out += formatted(specification + "c", reader.next<int32_t>());
    } else if (conversion == 's') {
      out += formatted(specification + "s",
                       reader.text(reader.next<uint64_t>()).c_str());
    } else if (conversion == 'p') {
      out += fmt::format("{:#x}", reader.next<uint64_t>());
    } else {
      out += specification + conversion;
    }
  }
  return out;
}

// offset: of the format's address, e: of the arguments' address, d: of the
// result, all in local memory.
void napkin::executor::printLanes(Warp &w, const Instr &i, uint32_t mask) {
  std::string text;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    Reader reader{w, i, l, argumentAt(w, l, i.e)};
    std::string format = reader.text(argumentAt(w, l, uint32_t(i.offset)));
    int32_t count;
    text += print(reader, format, count);
    if (w.event & EventTrap)
      return;
    uint64_t at = (uint64_t(w.index) * lanes + l) * w.block->localBytes + i.d;
    std::memcpy(w.block->local + at, &count, 4);
    std::memset(w.block->localShadow + at, shadowWritten, 4);
  }
  w.machine->print(*w.block, text);
}

// list: where the addresses of the message, of the file's and of the function's
// name, and the line are in local memory.
void napkin::executor::failAssertion(Warp &w, const Instr &i, uint32_t mask) {
  unsigned l = __builtin_ctz(mask);
  Reader reader{w, i, l};
  std::string message = reader.text(argumentAt(w, l, i.list[0])),
              file = reader.text(argumentAt(w, l, i.list[1])),
              function = reader.text(argumentAt(w, l, i.list[2]));
  w.machine->trap(w, i, l, Trap::Kind::UserTrap,
                  fmt::format("an assertion of the kernel failed: {}, {}:{}, "
                              "in {}",
                              message, file,
                              uint32_t(argumentAt(w, l, i.list[3])), function));
}

void Machine::print(const Block &block, llvm::StringRef text) {
  constexpr size_t limit = 1 << 20; // as much as the device's own buffer
  std::lock_guard<std::mutex> lock(mutex);
  if (printedBytes + text.size() > limit)
    return;
  printedBytes += text.size();
  printed.push_back({block.linear, text.str()});
}
