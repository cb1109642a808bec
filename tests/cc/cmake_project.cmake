# A CMake project of CUDA's language configures, builds and runs with wanren-nvcc as its compiler.
# Needs -DCOMPILER, -DWANREN, -DSOURCE, -DBUILD.
set(ENV{CUDACXX} ${COMPILER})
# No other toolkit helps.
set(ENV{PATH} /usr/bin:/bin)
unset(ENV{LIBRARY_PATH})
file(REMOVE_RECURSE ${BUILD})
foreach(command "${CMAKE_COMMAND};-S;${SOURCE};-B;${BUILD};-G;Ninja" "${CMAKE_COMMAND};--build;${BUILD}")
  execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(code)
    message(FATAL_ERROR "${command} ended with ${code}:\n${out}")
  endif()
endforeach()
execute_process(COMMAND ${WANREN} run --quiet -- ${BUILD}/app RESULT_VARIABLE code OUTPUT_VARIABLE out)
if(code OR NOT out STREQUAL "PASS\n")
  message(FATAL_ERROR "the program ended with ${code}: ${out}")
endif()
