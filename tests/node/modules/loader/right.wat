(module
  (import "env" "memory" (memory 1))
  (import "left" "l" (global i32))
  (global (export "r") i32 (i32.const 2)))
