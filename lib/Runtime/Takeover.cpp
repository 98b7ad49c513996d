//===- Takeover.cpp - Programs with a runtime of their own -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// nvcc links NVIDIA's runtime into the program (-cudart static, its default),
// and the program then calls its own copy. Where this library is loaded before
// the program (LD_PRELOAD, which napkin-run --program sets), the first
// instructions of each function of that copy become a jump to the function of
// the same name here. The file on disk stays as it is. The program's table of
// symbols says where the functions are: a program that was stripped of it is
// left alone, and says so when its runtime finds no driver of NVIDIA's.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

/// A file in memory, read only.
class MappedFile {
public:
  explicit MappedFile(const char *path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0)
      return;
    if (!fstat(file, &status) && status.st_size > 0) {
      void *at = mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
      if (at != MAP_FAILED) {
        begin = static_cast<const char *>(at);
        size = status.st_size;
      }
    }
    close(file);
  }
  ~MappedFile() {
    if (begin)
      munmap(const_cast<char *>(begin), size);
  }
  /// `count` objects at `offset`, or null where they leave the file.
  template <typename T>
  const T *at(uint64_t offset, uint64_t count = 1) const {
    if (offset > size || count > (size - offset) / sizeof(T))
      return nullptr;
    return reinterpret_cast<const T *>(begin + offset);
  }

private:
  const char *begin = nullptr;
  size_t size = 0;
};

} // namespace

/// Where the program itself was loaded, over its addresses in the file.
static int firstObject(struct dl_phdr_info *info, size_t, void *base) {
  *static_cast<uint64_t *>(base) = info->dlpi_addr;
  return 1;
}

#if defined(__x86_64__)
/// movabs $target, %rax; jmp *%rax. No argument is in rax.
static constexpr size_t jumpBytes = 12;
static void writeJump(char *at, void *target) {
  const unsigned char code[jumpBytes] = {0x48, 0xb8, 0, 0, 0,    0,
                                         0,    0,    0, 0, 0xff, 0xe0};
  std::memcpy(at, code, sizeof code);
  std::memcpy(at + 2, &target, sizeof target);
}
#else
static constexpr size_t jumpBytes = 0;
static void writeJump(char *, void *) {}
#endif

/// Makes the function at `at` jump to `target`.
static bool redirect(char *at, void *target) {
  const uint64_t page = sysconf(_SC_PAGESIZE),
                 address = reinterpret_cast<uint64_t>(at),
                 begin = address / page * page,
                 end = (address + jumpBytes + page - 1) / page * page;
  void *pages = reinterpret_cast<void *>(begin);
  if (mprotect(pages, end - begin, PROT_READ | PROT_WRITE | PROT_EXEC))
    return false;
  writeJump(at, target);
  return !mprotect(pages, end - begin, PROT_READ | PROT_EXEC);
}

static bool isRuntimeName(const char *name) {
  return !std::strncmp(name, "cuda", 4) || !std::strncmp(name, "__cuda", 6);
}

/// Redirects every function of the table `section` whose name is one of ours.
static void redirectAll(const MappedFile &file, const Elf64_Shdr &section,
                        const Elf64_Shdr &names, uint64_t base, void *self) {
  const uint64_t count = section.sh_size / sizeof(Elf64_Sym);
  const auto *symbols = file.at<Elf64_Sym>(section.sh_offset, count);
  const char *texts = file.at<char>(names.sh_offset, names.sh_size);
  if (!symbols || !texts || !names.sh_size || texts[names.sh_size - 1])
    return;
  for (uint64_t i = 0; i < count; ++i) {
    const Elf64_Sym &symbol = symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_value ||
        symbol.st_size < jumpBytes || symbol.st_name >= names.sh_size ||
        !isRuntimeName(texts + symbol.st_name))
      continue;
    if (void *own = dlsym(self, texts + symbol.st_name))
      redirect(reinterpret_cast<char *>(base + symbol.st_value), own);
  }
}

/// Runs before the program's own constructors, which register its kernels.
__attribute__((constructor)) static void takeOver() {
  if (!jumpBytes)
    return;
  Dl_info where;
  if (!dladdr(reinterpret_cast<void *>(&takeOver), &where))
    return;
  void *self = dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  MappedFile file("/proc/self/exe");
  const auto *header = file.at<Elf64_Ehdr>(0);
  if (!self || !header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return;
  uint64_t base = 0;
  dl_iterate_phdr(firstObject, &base);
  const auto *sections = file.at<Elf64_Shdr>(header->e_shoff, header->e_shnum);
  for (unsigned i = 0; sections && i < header->e_shnum; ++i)
    if (sections[i].sh_type == SHT_SYMTAB &&
        sections[i].sh_link < header->e_shnum)
      redirectAll(file, sections[i], sections[sections[i].sh_link], base, self);
}
