(module
  (import "env" "memory" (memory 1))
  (import "left" "l" (table 1 externref))
  (table (export "r") 1 externref))
