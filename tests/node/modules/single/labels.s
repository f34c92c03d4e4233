# A table, and a label at its end, which has no size, after data that nothing uses.

	.type	unused,@object
	.type	table,@object
	.type	table_end,@object
	.type	after,@object
	.section	.data.table,"",@
	.p2align	4
unused:
	.int32	77
	.size	unused, 4
table:
	.int32	1
	.int32	2
	.int32	3
	.size	table, 12
table_end:
	.int32	4
	.size	table_end, 0
after:
	.int32	5
	.size	after, 4

	.section	.text.length,"",@
	.globl	length
	.export_name	length, length
length:
	.functype	length () -> (i32)
	i32.const	table_end
	i32.const	table
	i32.sub
	end_function

	.section	.text.sum,"",@
	.globl	sum
	.export_name	sum, sum
sum:
	.functype	sum () -> (i32)
	.local	i32, i32
	i32.const	table
	local.set	0
	loop
	local.get	0
	i32.load	0
	local.get	1
	i32.add
	local.set	1
	local.get	0
	i32.const	4
	i32.add
	local.tee	0
	i32.const	table_end
	i32.ne
	br_if	0
	end_loop
	local.get	1
	end_function
