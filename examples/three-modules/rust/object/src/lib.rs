//! What the three modules hand to each other, by address.

#[repr(C)]
pub struct Object {
    pub value: i64,
}
