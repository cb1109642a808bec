# Links PARTS with what they need of LIBCLC, optimises, and keeps only the __nv_* functions visible.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result ERROR_VARIABLE messages)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}: ${messages}")
  endif()
endfunction()
run(${LLVM_LINK} ${PARTS} -o ${OUTPUT}.parts)
# libclc's triple differs by vendor only; llvm-link warns of it.
run(${LLVM_LINK} --only-needed ${OUTPUT}.parts ${LIBCLC} -o ${OUTPUT}.linked)
run(${LLVM_OPT} --passes=internalize,globaldce,default<O2> --internalize-public-api-list=__nv_* ${OUTPUT}.linked -o ${OUTPUT})
file(REMOVE ${OUTPUT}.parts ${OUTPUT}.linked)
