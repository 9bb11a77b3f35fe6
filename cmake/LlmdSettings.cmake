# What every target of ours is compiled with. Two INTERFACE targets, linked PRIVATE by our own
# targets only, so that nothing leaks into generated or third-party code.

option(LLMD_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
set(LLMD_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the project and no hash of the working folder, so that build trees share
  # objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" ${CCACHE_PROGRAM})
endif()

add_library(llmd_settings INTERFACE)
target_compile_features(llmd_settings INTERFACE cxx_std_20)
target_include_directories(llmd_settings INTERFACE "${CMAKE_SOURCE_DIR}/daemon"
                           "${CMAKE_BINARY_DIR}/generated")
if(LLMD_SANITIZE)
  target_compile_options(llmd_settings INTERFACE -fsanitize=${LLMD_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(llmd_settings INTERFACE -fsanitize=${LLMD_SANITIZE})
endif()

add_library(llmd_warnings INTERFACE)
target_compile_options(llmd_warnings INTERFACE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor
                       -Wold-style-cast -Woverloaded-virtual -Wno-missing-field-initializers)
if(LLMD_WARNINGS_AS_ERRORS)
  target_compile_options(llmd_warnings INTERFACE -Werror)
endif()
