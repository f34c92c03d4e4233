//! What allocator.h has, on an allocator of Zig's.
const std = @import("std");
const allocator = @import("allocator").allocator;

const header = 16;
var full = [_]u32{ 11, 77, 313 };

export fn intact() i32 {
    return @intFromBool(std.mem.eql(u32, &full, &.{ 11, 77, 313 }));
}

fn whole(block: [*]u8) []align(header) u8 {
    const start: [*]align(header) u8 = @alignCast(block - header);
    const size: *const usize = @ptrCast(start);
    return start[0 .. size.* + header];
}

export fn take(size: usize) ?[*]u8 {
    const block = allocator.alignedAlloc(u8, .fromByteUnits(header), size + header) catch return null;
    const kept: *usize = @ptrCast(block.ptr);
    kept.* = size;
    return block.ptr + header;
}

export fn give(block: [*]u8) void {
    allocator.free(whole(block));
}
