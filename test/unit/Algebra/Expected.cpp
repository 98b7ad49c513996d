#include "Expected.h"
namespace napkin::algebra::test {
std::string expectedForm(const std::string &name) { return ""; }
}
