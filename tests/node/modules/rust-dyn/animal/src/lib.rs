//! What both modules know.
pub trait Animal {
    fn legs(&self) -> i32;
    fn name(&self) -> String;
    fn speak(&mut self, times: i32) -> i32;
}
