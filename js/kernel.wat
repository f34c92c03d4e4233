;; The loops over the bytes of a prepared module (docs/prepared-format.md): its digest, and its pointers. An engine
;; compiles WebAssembly before it runs it, but JavaScript only when it has run it for long. kernel.js is this, assembled
;; by assemble.mjs. What is exported has short names because the package is small.
(module
  (memory (export "m") 1) ;; the module, and 8 bytes at least

  ;; Whether the digest of the first $covered bytes, and of those from $facts to $end, is the number in front of $facts.
  (func (export "d") (param $covered i32) (param $facts i32) (param $end i32) (result i32)
    (local $at i32) (local $sum i64) (local $factor i64)
    (local.set $factor (i64.const 1))
    (loop $words
      (local.set $sum (i64.add (local.get $sum)
        (i64.mul (i64.load align=1 (local.get $at)) (local.get $factor))))
      (local.set $factor (i64.add (local.get $factor) (i64.const 2)))
      (br_if $words (i32.le_u
        (i32.add (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 8))
        (local.get $covered)))
      ;; Of what is left, the last 8 bytes.
      (if (i32.lt_u (local.get $at) (local.get $covered)) (then
        (local.set $at (i32.sub (local.get $covered) (i32.const 8)))
        (br $words)))
      (if (i32.lt_u (local.get $at) (local.get $facts)) (then
        (local.set $at (local.get $facts))
        (local.set $covered (local.get $end))
        (br $words))))
    (i64.eq (local.get $sum) (i64.load align=1 (i32.sub (local.get $facts) (i32.const 8)))))

  ;; Adds $delta to $count pointers, of $width digits of as many bits as $mask has; of the last one, the bits in $last are
  ;; the number's, and $sign is the one of them that is its sign, or 0. How far each is from the one before it is read from
  ;; $next on. Returns what comes behind, or 0 if a pointer is not between $first and $limit, or what is read not in front
  ;; of $end.
  (func (export "p") (param $count i32) (param $next i32) (param $end i32) (param $first i32) (param $limit i32)
    (param $delta i64) (param $width i32) (param $mask i64) (param $last i32) (param $sign i32) (result i32)
    (local $at i32) (local $until i32) (local $shift i32) (local $byte i32) (local $digit i64)
    (loop $pointers
      (local.set $until (local.get $width))
      (local.set $shift (i32.const 0))
      (loop $distance
        (local.set $until (i32.add (local.get $until) (i32.shl
          (i32.and (local.tee $byte (i32.load8_u (local.get $next))) (i32.const 127)) (local.get $shift))))
        (local.set $shift (i32.add (local.get $shift) (i32.const 7)))
        (local.set $next (i32.add (local.get $next) (i32.const 1)))
        (br_if $distance (i32.gt_u (local.get $byte) (i32.const 127))))
      (if (i32.or
          (i32.or (i32.gt_u (local.get $until) (i32.sub (local.get $limit) (local.get $at)))
            (i32.gt_u (local.get $next) (local.get $end)))
          (i32.lt_u (local.tee $at (i32.sub (local.tee $until (i32.add (local.get $at) (local.get $until))) (local.get $width)))
            (local.get $first))) (then
        (return (i32.const 0))))
      (local.set $digit (local.get $delta))
      (loop $digits
        (i64.store8 (local.get $at) (i64.or (i64.add (local.get $mask) (i64.const 1)) (local.tee $digit
          (i64.add (local.get $digit) (i64.and (i64.load8_u (local.get $at)) (local.get $mask))))))
        (if (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $until)) (then
          (local.set $digit (i64.shr_s (local.get $digit) (i64.popcnt (local.get $mask)))) ;; what is still to add
          (br $digits))))
      ;; Flipping the sign, and then taking it off, copies it to all bits above.
      (i32.store8 (i32.sub (local.get $at) (i32.const 1)) (i32.and (i32.wrap_i64 (local.get $mask)) (i32.sub
        (i32.xor (i32.and (i32.wrap_i64 (local.get $digit)) (local.get $last)) (local.get $sign))
        (local.get $sign))))
      (br_if $pointers (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $next)))
