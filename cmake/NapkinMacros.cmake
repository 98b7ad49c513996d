# Napkin's own CMake functions. Libraries are plain static archives that name
# what they link; those that include MLIR share one precompiled header.

# Adds every directory below DIR that has a CMakeLists.txt of its own.
function(napkin_add_subdirectories dir)
  file(GLOB_RECURSE lists CONFIGURE_DEPENDS
       ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*/CMakeLists.txt)
  foreach(list IN LISTS lists)
    get_filename_component(directory ${list} DIRECTORY)
    file(RELATIVE_PATH relative ${CMAKE_CURRENT_SOURCE_DIR} ${directory})
    add_subdirectory(${relative})
  endforeach()
endfunction()

# Builds all that follows with the sanitizers of NAPKIN_SANITIZE. Whatever they
# find ends the program. libLLVM is not built with them.
macro(napkin_sanitize)
  if(NAPKIN_SANITIZE)
    add_compile_options(-fsanitize=${NAPKIN_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -g1)
    add_link_options(-fsanitize=${NAPKIN_SANITIZE})
  endif()
endmacro()

# The one precompiled header: MLIR's headers cost 6 to 13 s a file without it.
function(napkin_add_precompiled_header)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/NapkinPrecompiled.cpp CONTENT "")
  add_library(NapkinPrecompiled OBJECT ${CMAKE_BINARY_DIR}/NapkinPrecompiled.cpp)
  target_precompile_headers(NapkinPrecompiled PRIVATE
    <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/BuiltinTypes.h>
    <mlir/IR/DialectImplementation.h> <mlir/IR/OpImplementation.h>
    <mlir/IR/PatternMatch.h> <mlir/Interfaces/FunctionInterfaces.h>
    <mlir/Interfaces/SideEffectInterfaces.h> <mlir/Pass/Pass.h>
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Math/IR/Math.h>)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(NapkinPrecompiled PUBLIC "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  llvm_update_compile_flags(NapkinPrecompiled)
endfunction()

# napkin_add_library(NapkinFoo A.cpp B.cpp [MLIR] [DEPENDS targets] [LINK libraries])
# MLIR: the sources include MLIR's headers.
function(napkin_add_library name)
  cmake_parse_arguments(ARG "MLIR" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  napkin_compile_flags(${name} "${ARG_MLIR}")
  target_link_libraries(${name} PUBLIC ${ARG_LINK} LLVM)
  target_include_directories(${name} INTERFACE
    $<BUILD_INTERFACE:${Napkin_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${Napkin_BINARY_DIR}/include> $<INSTALL_INTERFACE:include>)
  set_property(GLOBAL APPEND PROPERTY NAPKIN_LIBRARIES ${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# napkin_add_tool(napkin-foo main.cpp [MLIR] [LINK libraries])
function(napkin_add_tool name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  napkin_compile_flags(${name} "${ARG_MLIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} LLVM)
endfunction()

# napkin_add_unittest(FooTests A.cpp [MLIR] [LINK libraries])
function(napkin_add_unittest name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  napkin_compile_flags(${name} "${ARG_MLIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} LLVM GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test/unit)
  set_property(GLOBAL APPEND PROPERTY NAPKIN_TEST_DEPENDS ${name})
endfunction()

function(napkin_compile_flags name mlir)
  llvm_update_compile_flags(${name})
  if(mlir)
    target_precompile_headers(${name} REUSE_FROM NapkinPrecompiled)
    target_compile_options(${name} PRIVATE $<TARGET_PROPERTY:NapkinPrecompiled,INTERFACE_COMPILE_OPTIONS>)
    add_dependencies(${name} NapkinPrecompiled)
  endif()
endfunction()
