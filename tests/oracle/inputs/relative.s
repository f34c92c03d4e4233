# Pointers that do not move because they are relative: to where they are (R_WASM_MEMORY_ADDR_LOCREL_I32). And addresses
# with addends far outside their symbol, which wrap around in 32 bits.

.section .rodata.message,"",@
message:
  .asciz "relative"
.size message, 9

.section .data.relative,"",@
.globl relative
.type  relative,@object
.p2align 2
relative:
  .int32 message-.
  .int32 relative-.
  .int32 message
  .int32 message-65536
  .int32 message+65536
.size relative, 20

.section .text.address,"",@
.globl      address
.export_name address, address
.type       address,@function
address:
  .functype address () -> (i32)
  i32.const relative-131072
  i32.const relative+2147483640
  i32.add
  i32.const 0
  i32.load relative+8
  i32.add
  end_function
