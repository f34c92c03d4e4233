(module
  (import "env" "memory" (memory 1))
  (import "right" "r" (table 1 externref))
  (table (export "l") 1 externref))
