# cmake -DCOMMAND=… -DCODE=n -DEXPECT=regex -P expect.cmake
execute_process(COMMAND ${COMMAND} OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE code)
if(NOT code STREQUAL CODE)
  message(FATAL_ERROR "exit code ${code}, not ${CODE}:\n${out}${err}")
endif()
if(NOT "${out}${err}" MATCHES "${EXPECT}")
  message(FATAL_ERROR "does not say '${EXPECT}':\n${out}${err}")
endif()
