# llmd_library(NAME SRCS a.cc HDRS a.h DEPS x): one call a folder. A library without sources
# becomes an INTERFACE target.
function(llmd_library NAME)
  cmake_parse_arguments(ARG "" "" "SRCS;HDRS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(${NAME} STATIC ${ARG_SRCS} ${ARG_HDRS})
    target_link_libraries(${NAME} PUBLIC llmd_settings ${ARG_DEPS}
                                  PRIVATE llmd_warnings ${ARG_PRIVATE_DEPS})
  else()
    add_library(${NAME} INTERFACE)
    target_link_libraries(${NAME} INTERFACE llmd_settings ${ARG_DEPS})
  endif()
endfunction()

# llmd_program(NAME SRCS main.cc DEPS x): a binary in build/<preset>/bin.
function(llmd_program NAME)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${NAME} ${ARG_SRCS})
  target_link_libraries(${NAME} PRIVATE llmd_settings llmd_warnings ${ARG_DEPS})
  install(TARGETS ${NAME} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# llmd_test(NAME SRCS a_test.cc DEPS x): a GoogleTest binary, registered with CTest as a whole. The
# folder's name is its label (`ctest -L hub`) and its build target (`ninja llmd_tests_hub`).
function(llmd_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  add_executable(${NAME} EXCLUDE_FROM_ALL ${ARG_SRCS})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_include_directories(${NAME} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_compile_definitions(${NAME} PRIVATE LLMD_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             LLMD_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${NAME} PRIVATE llmd_settings llmd_warnings ${ARG_DEPS} GTest::gmock
                                GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  add_test(NAME ${NAME} COMMAND ${NAME} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${folder};${ARG_LABELS}")
  add_dependencies(llmd_tests ${NAME})
  if(NOT TARGET llmd_tests_${folder})
    add_custom_target(llmd_tests_${folder})
  endif()
  add_dependencies(llmd_tests_${folder} ${NAME})
endfunction()

# llmd_data(DESTINATION files...): data files, copied to share/llmd in the build tree at build
# time and installed at the same place.
function(llmd_data DESTINATION)
  string(MAKE_C_IDENTIFIER "llmd_data_${DESTINATION}" target)
  set(outputs)
  foreach(file ${ARGN})
    get_filename_component(source "${file}" ABSOLUTE)
    file(RELATIVE_PATH relative "${CMAKE_CURRENT_SOURCE_DIR}" "${source}")
    get_filename_component(name "${file}" NAME)
    set(output "${CMAKE_BINARY_DIR}/share/llmd/${DESTINATION}/${name}")
    add_custom_command(OUTPUT "${output}" COMMAND ${CMAKE_COMMAND} -E copy "${source}" "${output}"
                       DEPENDS "${source}" VERBATIM)
    list(APPEND outputs "${output}")
    install(PROGRAMS "${source}" DESTINATION "${CMAKE_INSTALL_DATADIR}/llmd/${DESTINATION}")
  endforeach()
  add_custom_target(${target} ALL DEPENDS ${outputs})
endfunction()
