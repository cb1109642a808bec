# One target per folder; a folder sees only what it links, so the arrows of docs/architecture.md hold.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(LLD NAMES ld.lld-19 ld.lld)
if(LLD)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(--ld-path=${LLD})
  else()
    # g++ 12 knows lld by the name ld.lld only; a link in the build folder gives it that name.
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/linker)
    file(CREATE_LINK ${LLD} ${CMAKE_BINARY_DIR}/linker/ld.lld SYMBOLIC)
    add_link_options(-B${CMAKE_BINARY_DIR}/linker -fuse-ld=lld)
  endif()
endif()

add_library(wanren_flags INTERFACE)
target_compile_options(wanren_flags INTERFACE -Wall -Wextra -Werror -Wno-unused-parameter
  -fno-strict-aliasing -fvisibility=hidden -g1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside libstdc++ and fmt at -O2.
  target_compile_options(wanren_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-array-bounds -Wno-restrict -Wno-dangling-pointer -Wno-stringop-overread -Wno-missing-field-initializers)
else()
  # std::stable_sort of libstdc++ 12 uses what that library deprecates.
  target_compile_options(wanren_flags INTERFACE -Wno-missing-field-initializers -Wno-deprecated-declarations)
endif()
if(WANREN_SANITIZE STREQUAL "address")
  target_compile_options(wanren_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  target_link_options(wanren_flags INTERFACE -fsanitize=address,undefined)
elseif(WANREN_SANITIZE STREQUAL "thread")
  # g++ warns that it does not follow fences; what they order here is also ordered by locks.
  target_compile_options(wanren_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(wanren_flags INTERFACE -fsanitize=thread)
elseif(WANREN_SANITIZE)
  message(FATAL_ERROR "WANREN_SANITIZE is address or thread, not ${WANREN_SANITIZE}")
endif()

# wanren_see(target scope folder): target finds src/<folder> as <folder>/…, and so does, by scope, what links it. Each folder
# has a view of its own, so that an include of what is not linked finds no file.
function(wanren_see target scope folder)
  set(view ${CMAKE_BINARY_DIR}/include/${folder})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${folder} ${view}/${folder} SYMBOLIC)
  target_include_directories(${target} ${scope} ${view})
  set_property(GLOBAL APPEND PROPERTY wanren_arrows
    "${folder}:$<JOIN:$<REMOVE_DUPLICATES:$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>>,:>\n")
endfunction()

# wanren_library(name [PUBLIC lib…] [PRIVATE lib…]): target wanren_<name> from this folder's *.cpp.
function(wanren_library name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(wanren_${name} STATIC ${sources})
  wanren_see(wanren_${name} PUBLIC ${name})
  target_link_libraries(wanren_${name} PUBLIC wanren_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# wanren_test(folder lib…): tests/<folder>/*.cpp as one GoogleTest program test_<folder>.
function(wanren_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${ARGN} wanren_flags GTest::gtest_main GTest::gmock)
  # Only where it is read, so that ccache serves the others to every checkout.
  foreach(source IN LISTS sources)
    file(STRINGS ${source} reads_place REGEX WANREN_SOURCE_DIR LIMIT_COUNT 1)
    if(reads_place)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS WANREN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endif()
  endforeach()
  # One process for all cases: starting thousands of processes would cost more than running the cases.
  add_test(NAME test_${name} COMMAND test_${name})
  set_tests_properties(test_${name} PROPERTIES TIMEOUT 600)
endfunction()

# wanren_verify_tests(): the tests of this folder run with WANREN_VERIFY, so that a broken promise of any stage fails them.
function(wanren_verify_tests)
  get_property(tests DIRECTORY PROPERTY TESTS)
  set_property(TEST ${tests} APPEND PROPERTY ENVIRONMENT_MODIFICATION WANREN_VERIFY=set:1)
endfunction()
