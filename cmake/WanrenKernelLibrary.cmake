# wanren_kernel_library(NAME VERSIONS n … [DEFAULT n] [LACKS status] [NODE name] [EXPORTS pattern …]): libNAME.so.n for each n from the .cu files of
# this folder, compiled by `wanren cc` on public CUDA alone, as a maker's library of that name is built: the soname
# and the version node of its symbols (or NODE) are libNAME.so.n, and it is linked with the libcudart of the same CUDA.
# Where the two are not numbered alike, `n:cuda` names the CUDA. `-lNAME` finds DEFAULT (12 if that is there, else the last). Symbols that begin with NAME are exported, or EXPORTS.
# Where the folder has a names.txt, each name in it that no .cu file defines is exported as a function that says once on
# standard error that it is not supported and returns LACKS, the maker's code for that: programs that bind every name
# when they are loaded do load.
# A source's COMPILE_OPTIONS are its own flags.
# Works outside Wanren's tree too, where `wanren` is on PATH.
function(wanren_kernel_library name)
  cmake_parse_arguments(ARG "" "DEFAULT;LACKS;NODE" "VERSIONS;EXPORTS" ${ARGN})
  if(NOT ARG_EXPORTS)
    set(ARG_EXPORTS "${name}*")
  endif()
  if(NOT ARG_DEFAULT)
    list(GET ARG_VERSIONS -1 ARG_DEFAULT)
    string(REGEX REPLACE ":.*" "" ARG_DEFAULT ${ARG_DEFAULT})
    if("12" IN_LIST ARG_VERSIONS)
      set(ARG_DEFAULT 12)
    endif()
  endif()
  set(place ${CMAKE_CURRENT_BINARY_DIR})
  set(target wanren_lib_${name})
  if(TARGET wanren_cli)
    set(wanren $<TARGET_FILE:wanren_cli>)
    set(compiler wanren_cc wanren_device_library)
    set(place ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
    file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/*.h ${CMAKE_SOURCE_DIR}/include/wanren/*)
  else()
    find_program(WANREN wanren REQUIRED)
    set(wanren ${WANREN})
  endif()

  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cu)
  file(GLOB own_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  set(objects)
  foreach(source IN LISTS sources)
    get_filename_component(part ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}-${part}.o)
    get_property(flags SOURCE ${source} PROPERTY COMPILE_OPTIONS)
    add_custom_command(OUTPUT ${object}
      COMMAND ${wanren} cc -std=c++17 -O3 -Xcompiler -fPIC ${flags} -c ${source} -o ${object}
      DEPENDS ${source} ${own_headers} ${headers} ${compiler}
      COMMENT "wanren cc ${name}: ${part}" VERBATIM)
    list(APPEND objects ${object})
  endforeach()

  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/names.txt)
    file(STRINGS names.txt names REGEX "^[A-Za-z_]")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/names.txt)
    set(code "#include <stdio.h>\n#define LACKS(name) __attribute__((weak)) int name(void); int name(void) { static int told; if (!told++) fputs(\"wanren: \" #name \" is not supported\\n\", stderr); return ${ARG_LACKS}; }\n")
    foreach(one IN LISTS names)
      string(APPEND code "LACKS(${one})\n")
    endforeach()
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/names.c CONTENT "${code}" @ONLY)
    add_library(${target}_names OBJECT ${CMAKE_CURRENT_BINARY_DIR}/names.c)
    set_target_properties(${target}_names PROPERTIES POSITION_INDEPENDENT_CODE ON)
    list(APPEND objects $<TARGET_OBJECTS:${target}_names>)
  endif()

  list(JOIN ARG_EXPORTS "; " exports)
  set(libraries)
  foreach(pair IN LISTS ARG_VERSIONS)
    string(REGEX REPLACE ":.*" "" version ${pair})
    string(REGEX REPLACE ".*:" "" cuda ${pair})
    set(library lib${name}.so.${version})
    set(node ${library})
    if(ARG_NODE)
      set(node ${ARG_NODE})
    endif()
    set(script ${CMAKE_CURRENT_BINARY_DIR}/${library}.map)
    file(CONFIGURE OUTPUT ${script} CONTENT "${node} { global: ${exports}; local: *; };\n")
    set(runtime libcudart.so.${cuda})
    if(cuda EQUAL 11)
      set(runtime libcudart.so.11.0)
    endif()
    add_custom_command(OUTPUT ${place}/${library}
      COMMAND ${wanren} cc -shared -cudart none ${objects} -l:${runtime} -Xlinker -soname=${library}
        -Xlinker --version-script=${script} -Xlinker "-rpath=\$ORIGIN" -o ${place}/${library}
      DEPENDS ${objects} ${script}
      COMMENT "Linking ${library}" VERBATIM)
    list(APPEND libraries ${place}/${library})
  endforeach()
  add_custom_command(OUTPUT ${place}/lib${name}.so
    COMMAND ${CMAKE_COMMAND} -E create_symlink lib${name}.so.${ARG_DEFAULT} ${place}/lib${name}.so
    DEPENDS ${libraries} VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${libraries} ${place}/lib${name}.so)
  if(TARGET wanren_cli)
    add_dependencies(${target} wanren_cli wanren_cudart_11 wanren_cudart_12 wanren_cudart_13)
  endif()
  install(FILES ${libraries} ${place}/lib${name}.so DESTINATION lib)
endfunction()
