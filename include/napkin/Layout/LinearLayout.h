//===- LinearLayout.h - Layouts as linear maps over bits --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where does each element of a block's tile live? One answer serves register
// fragments, shared memory with swizzles, vector widths and instruction
// operands: a *linear map over bits* ("Linear Layouts", arXiv 2505.23819).
//
// # A small instance
//
// A tile of 4 x 4 values on 2 lanes, 8 registers each. Write a coordinate as
// the bits (r1 r0 | c1 c0), row major, c0 the lowest: element (2, 3) is 0b1011
// = 11.
//
//     register bit 0 -> 0b0001   two neighbours of a row in one lane
//     register bit 1 -> 0b0100   the next row
//     register bit 2 -> 0b1000   two rows further down
//     lane     bit 0 -> 0b0010   the other half of the row
//
// Register 3 (= bits 0 and 1) of lane 1 holds 0b0001 ^ 0b0100 ^ 0b0010 =
// 0b0111, which is row 1, column 3. That is the law: L(a ^ b) = L(a) ^ L(b), so
// the images of single bits (the *bases*) say everything.
//
// # Why from place to coordinate, and not the other way round
//
// One coordinate may live in several places (a row maximum is known to all four
// lanes that share the row): as a map from places that is a zero basis, and
// still a function. In the other direction it would be a relation.
//
// # What follows by linear algebra instead of by tables
//
//  * two layouts need no conversion between them: their bases are equal;
//  * a reduction over an axis needs a shuffle on exactly those lane bits whose
//    basis touches the axis;
//  * shared memory is a map from coordinate to byte; composed with a register
//    layout it gives each thread's addresses, whether `ldmatrix` fits, and how
//    many wavefronts a warp's access takes.
//
// # Sizes that are not powers of two
//
// An axis of 96 = 3 * 32 positions takes 7 bits of a coordinate: 5 of them walk
// inside a *core* of 32, the 2 above say which of 3 cores, a plain digit. Only
// registers may hold a digit. So a layout stays a linear map over bits; of the
// 4 register numbers that the 2 bits make, those that would stand for a core
// past the end (the fourth) do not exist: `registersOf` leaves them out, and
// nothing is computed, copied or stored for them. In shared memory the cores
// lie one behind the other: the byte is the XOR of the core's images plus the
// digit times the bytes of a core, and no byte is left unused. Rows of 80 = 5 *
// 16 and chunks of 48 are the same.
//
// # What it cannot say
//
//  * 100 = 25 * 4 columns of a product: a core of 4 is less than the 8 or 16
//    positions that an instruction takes at once. Tiles are powers of two or
//    multiples of 16, and an axis of 100 positions is cut to 112 with a test.
//  * Six warps over 96 rows: a warp number would have to hold the digit, and
//    2 * 3 warps are no bits. Warps share the core: 1 or 2 of 32 rows in 16s.
//  * Rows with a gap behind each are no XOR of images, but a sum
//  (Combine::Sum);
//    then the register's part of an address adds to the thread's, and the two
//    must not overlap in a bit of the coordinate, which no layout here does.
//  * A position that depends on data (a gather) is no map of bits at all: it is
//  a
//    view's index array, not a layout.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_LAYOUT_LINEARLAYOUT_H
#define NAPKIN_LAYOUT_LINEARLAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>
#include <string>

namespace napkin::layout {

/// The three kinds of place inside a block, fastest first.
enum class Place : unsigned { Register = 0, Lane = 1, Warp = 2 };

/// Number of kinds of place.
inline constexpr unsigned numPlaces = 3;

/// log2 of a power of two. Requires: `value` is a power of two.
unsigned log2Exact(uint64_t value);

/// The sizes of a tile's axes, slowest first, each m * 2^k. A coordinate has a
/// field of bits for each axis, the last axis in the lowest: of powers of two
/// it is the row-major index.
class TileShape {
public:
  TileShape() = default;
  /// Requires: every size is at least 1.
  explicit TileShape(llvm::ArrayRef<int64_t> sizes);

  /// Number of axes.
  unsigned rank() const { return bitCounts.size(); }
  /// Number of elements of `axis`.
  int64_t size(unsigned axis) const { return sizes[axis]; }
  /// Bits of a coordinate along `axis`: log2 of its size, rounded up.
  unsigned bits(unsigned axis) const { return bitCounts[axis]; }
  /// log2 of the core of `axis`, the power of two in its size.
  unsigned coreBits(unsigned axis) const;
  /// Number of elements of the tile.
  int64_t elements() const;
  /// The bits of a flat coordinate that are digits: they say which core.
  uint32_t digits() const;
  /// Whether a flat coordinate lies in the tile.
  bool contains(uint32_t flat) const;
  /// Total bits of a coordinate.
  unsigned totalBits() const;
  /// The bit of a flat coordinate where `axis` begins.
  unsigned shift(unsigned axis) const;
  /// The bits of a flat coordinate that belong to `axis`.
  uint32_t mask(unsigned axis) const;
  /// The flat coordinate with bit `bit` of `axis` set.
  uint32_t unit(unsigned axis, unsigned bit) const;
  /// The position along `axis` of a flat coordinate.
  uint32_t coordinate(uint32_t flat, unsigned axis) const;
  /// Maps a flat coordinate of this shape to one of `target`, keeping the axes
  /// `axisMap[i]` (an axis of this shape for each axis of `target`).
  uint32_t project(uint32_t flat, const TileShape &target,
                   llvm::ArrayRef<unsigned> axisMap) const;

  bool operator==(const TileShape &other) const { return sizes == other.sizes; }

private:
  llvm::SmallVector<unsigned, 4> bitCounts;
  llvm::SmallVector<int64_t, 4> sizes;
};

/// A linear map from (register, lane, warp) bits to flat tile coordinates.
class LinearLayout {
public:
  /// bases[place][bit] = image of that bit, a flat coordinate.
  using Bases = llvm::SmallVector<llvm::SmallVector<uint32_t, 8>, 3>;

  LinearLayout() : bases(numPlaces) {}
  explicit LinearLayout(Bases bases) : bases(std::move(bases)) {
    this->bases.resize(numPlaces);
  }

  /// Appends one more bit to `place`, with the given image.
  LinearLayout &add(Place place, uint32_t image) {
    bases[unsigned(place)].push_back(image);
    return *this;
  }
  /// The images of the bits of `place`, lowest bit first.
  llvm::ArrayRef<uint32_t> getBases(Place place) const {
    return bases[unsigned(place)];
  }
  /// Number of bits of `place`.
  unsigned bits(Place place) const { return getBases(place).size(); }
  /// The registers that hold elements of a tile of `shape`: all, but for those
  /// whose digit stands for a core past the end.
  llvm::SmallVector<uint32_t> registersOf(const TileShape &shape) const;
  /// Number of register numbers; see registersOf for those that exist.
  unsigned numRegisters() const { return 1u << bits(Place::Register); }

  /// The coordinate at one place.
  uint32_t apply(uint32_t reg, uint32_t lane, uint32_t warp) const;
  /// The contribution of `value`'s bits at `place`.
  uint32_t apply(Place place, uint32_t value) const;

  /// Whether every coordinate of `shape` lives somewhere.
  bool isSurjective(const TileShape &shape) const;
  /// Whether no coordinate lives in two places.
  bool isInjective() const;

  /// A register of `*this` that holds coordinate contribution `flat` (the XOR
  /// of some register bases); none if `flat` is not reached by registers alone.
  std::optional<uint32_t> registerFor(uint32_t flat) const;

  /// The layout of a tile that lacks some axes of `shape`: coordinates are
  /// projected to `target` by `axisMap` (see TileShape::project); register bits
  /// that become zero or redundant are dropped, lane and warp bits stay
  /// (a zero basis means that the lanes share the value).
  LinearLayout slice(const TileShape &shape, const TileShape &target,
                     llvm::ArrayRef<unsigned> axisMap) const;

  /// Where each bit of each place stands when the tile is folded along \p axis
  /// of
  /// \p shape: as in slice(), but that of the axis itself, if \p target has it
  /// too, as many positions are kept apart as it has there, those of lanes
  /// first, then those of registers.
  Bases foldedImages(const TileShape &shape, const TileShape &target,
                     llvm::ArrayRef<unsigned> axisMap, unsigned axis) const;
  /// The layout of that fold; redundant register bits are dropped.
  LinearLayout fold(const TileShape &shape, const TileShape &target,
                    llvm::ArrayRef<unsigned> axisMap, unsigned axis) const;

  /// Number of low register bits whose images are the units 1, 2, 4, ... of the
  /// last axis: log2 of the elements a thread holds in one contiguous run.
  unsigned contiguousRegisterBits() const;

  /// Lane bits that only replicate (zero basis), as a mask; likewise warps.
  uint32_t replicatedBits(Place place) const;

  bool operator==(const LinearLayout &other) const {
    return bases == other.bases;
  }
  bool operator!=(const LinearLayout &other) const { return !(*this == other); }

  /// "register=[1,64] lane=[2,4] warp=[]".
  std::string str() const;

private:
  Bases bases;
};

/// How the images of a shared layout's bits are combined.
enum class Combine {
  Xor, ///< a linear map over bits: swizzles
  Sum, ///< a linear map over integers: rows that do not begin at powers of two
};

struct SharedAccess;
struct SharedPart;

/// A map from flat coordinates to bytes of shared memory; one image per
/// coordinate bit, combined by XOR (row-major storage with a swizzle) or by
/// addition (rows with a gap behind each).
class SharedLayout {
public:
  /// The map that sends every coordinate to byte 0.
  SharedLayout() = default;
  /// The map with these images in bytes, lowest coordinate bit first.
  explicit SharedLayout(llvm::SmallVector<uint32_t, 16> images,
                        Combine combine = Combine::Xor)
      : images(std::move(images)), combine(combine) {}

  /// Row-major storage of `shape` with elements of `elementBytes`, swizzled so
  /// that 8 consecutive rows put any one 16-byte column into 8 different
  /// 16-byte columns of the 128-byte line (what `ldmatrix` reads at once). Row
  /// bit i moves column bit i + \p rotation, round and round: with 1,
  /// neighbours move by two columns, which is what threads with two f32 of an
  /// accumulator want, four of which write two columns of a row.
  static SharedLayout swizzledRowMajor(const TileShape &shape,
                                       unsigned elementBytes,
                                       unsigned rotation = 0);
  /// Row-major storage with `pad` bytes left free behind each row. With rows of
  /// a multiple of 32 bytes and a pad of 16, any 8 consecutive rows put any one
  /// 16-byte column into 8 different ones of a 128-byte line.
  static SharedLayout paddedRowMajor(const TileShape &shape,
                                     unsigned elementBytes, unsigned pad);

  /// The byte of a coordinate.
  uint32_t apply(uint32_t flat) const;
  /// The images, lowest coordinate bit first.
  llvm::ArrayRef<uint32_t> getImages() const { return images; }
  /// How images are combined.
  Combine getCombine() const { return combine; }
  /// Bytes from the first to behind the last element of a tile.
  int64_t bytes() const { return totalBytes; }
  /// Where the elements of \p part lie, a tile of the same axes as \p whole but
  /// for \p axis, of which it has the positions from \p from on. None where
  /// that is no such map: the first position must be a multiple of what is
  /// swizzled together. Requires: this is a layout of \p whole.
  std::optional<SharedPart> part(const TileShape &whole, const TileShape &part,
                                 unsigned axis, int64_t from) const;

  bool operator==(const SharedLayout &other) const {
    return images == other.images && combine == other.combine;
  }

private:
  llvm::SmallVector<uint32_t, 16> images;
  Combine combine = Combine::Xor;
  uint32_t digits = 0; ///< coordinate bits whose images are added
  int64_t totalBytes = 0;

  friend SharedAccess compose(const LinearLayout &, const SharedLayout &);
};

/// A part of a tile in shared memory.
struct SharedPart {
  SharedLayout layout; ///< from its first element on
  uint32_t offset = 0; ///< bytes from the whole tile's first element to its own
};

/// The bytes of shared memory that each place touches: a composition.
/// bytes = the images of the set bits of register, lane and warp, combined.
struct SharedAccess {
  llvm::SmallVector<uint32_t, 8> registers, lanes, warps;
  Combine combine = Combine::Xor;
  /// Register bits that hold digits: their images are added.
  uint32_t digits = 0;

  /// What register number `reg` contributes.
  uint32_t registerOffset(unsigned reg) const;
};

/// Composes `registers` (place to coordinate) with `shared` (coordinate to
/// byte).
SharedAccess compose(const LinearLayout &registers, const SharedLayout &shared);

/// How a warp reads 8x8 matrices of 16-bit elements with `ldmatrix`
/// (PTX ISA "ldmatrix"): which register bits pick one of up to four matrices,
/// and the row address that each lane supplies. Elements of 8 or 32 bits are
/// read as parts or pairs of such elements, as far as nothing is transposed.
struct LdMatrixPlan {
  bool transposed = false;
  /// Register bits, above those inside a word of 4 bytes, that number the
  /// matrices of one instruction, 0, 1 or 2 of them: .x1, .x2, .x4.
  llvm::SmallVector<unsigned, 2> matrixBits;
  /// Byte images of the five address-lane bits: three row bits, then the
  /// matrix bits (absent ones are 0).
  llvm::SmallVector<uint32_t, 5> laneImages;
};

/// Finds the `ldmatrix` form that fills a register layout from shared memory,
/// or none when a lane's word of elements or a matrix' row is not where the
/// instruction wants it. Requires: elements of 1, 2 or 4 bytes.
std::optional<LdMatrixPlan> planLdMatrix(const SharedAccess &access,
                                         unsigned elementBytes = 2);

/// Wavefronts of one warp-wide shared access in which lane bit i contributes
/// byte image `lanes[i]` and each lane touches `bytesPerLane` contiguous bytes
/// (4, 8 or 16; smaller accesses count as 4). 1 per 128 bytes is ideal.
unsigned wavefronts(llvm::ArrayRef<uint32_t> lanes, unsigned bytesPerLane,
                    Combine combine = Combine::Xor);

} // namespace napkin::layout

#endif // NAPKIN_LAYOUT_LINEARLAYOUT_H
