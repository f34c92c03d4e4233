# Exceptions: a tag section, catch clauses, and an address beside them.

.tagtype __cpp_exception i32

.section .data.thrown,"",@
.globl thrown
.type  thrown,@object
.p2align 2
thrown:
  .int32 thrown
.size thrown, 4

.section .text.raise,"",@
.globl      raise
.type       raise,@function
raise:
  .functype raise (i32) -> ()
  local.get 0
  throw __cpp_exception
  end_function

.section .text.caught,"",@
.globl      caught
.export_name caught, caught
.type       caught,@function
caught:
  .functype caught () -> (i32)
  try i32
  i32.const thrown
  call raise
  i32.const 0
  i32.load thrown
  catch __cpp_exception
  catch_all
  i32.const 7
  end_try
  end_function

.globl __cpp_exception
__cpp_exception:
