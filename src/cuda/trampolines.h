// For assembler files: one exported symbol per row of a table, which jumps to the row's function. Arguments
// pass untouched, so a row needs no prototype. The including file defines WR_TARGET(row), the jump's memory
// operand.

.set row,
    0 .text

        // The tables count every row, so that all who include them agree on a row's number.
        .macro next_row.set row,
    row + 1 .endm

              .macro trampoline name.globl \name.type \name,
    @function.balign 16
\name : endbr64 WR_JUMP.size \name,
    .- \name.endm

            .section.note.GNU -
        stack,
    "", @progbits.text
