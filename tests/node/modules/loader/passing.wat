(module
  (import "env" "memory" (memory 1))
  (import "env" "scale" (func $scale (param i32) (result i32)))
  (export "passed_on" (func $scale)))
