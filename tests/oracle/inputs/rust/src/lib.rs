//! What Rust puts into memory that holds addresses: static tables of slices and trait objects, vtables, panic locations,
//! format strings, thread-locals, and the standard library's own statics.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Write};
use std::sync::{Mutex, OnceLock};

static WORDS: [&str; 5] = ["zero", "one", "two", "", "four"];
static NESTED: &[&[&str]] = &[&["a", "b"], &[], &WORDS];
static ZEROED: Mutex<[u8; 70_000]> = Mutex::new([0; 70_000]);
static ANSWERS: OnceLock<HashMap<String, u32>> = OnceLock::new();

trait Operation: Sync {
    fn run(&self, n: u32) -> u32;
    fn name(&self) -> String {
        "unnamed".to_owned()
    }
}
struct Add(u32);
struct Twice;
impl Operation for Add {
    fn run(&self, n: u32) -> u32 {
        n.checked_add(self.0).expect("the sum fits")
    }
    fn name(&self) -> String {
        format!("add {}", self.0)
    }
}
impl Operation for Twice {
    fn run(&self, n: u32) -> u32 {
        2 * n
    }
}
static OPERATIONS: [&dyn Operation; 3] = [&Add(3), &Twice, &Add(40)];
static FUNCTIONS: [fn(&str) -> usize; 3] = [str::len, |s| s.chars().count(), |s| s.split(' ').count()];

thread_local! {
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
    static SEEN: RefCell<BTreeMap<u32, &'static str>> = RefCell::default();
}

#[no_mangle]
pub extern "C" fn word(i: usize) -> *const u8 {
    NESTED[2][i].as_ptr()
}

#[no_mangle]
pub extern "C" fn operate(i: usize, n: u32) -> u32 {
    let operation = OPERATIONS[i];
    LOG.with_borrow_mut(|log| writeln!(log, "{}({n:?}) {:#?}", operation.name(), Some(1.5f64)).unwrap());
    operation.run(n)
}

#[no_mangle]
pub extern "C" fn call(i: usize, n: usize) -> usize {
    FUNCTIONS[i](WORDS[n])
}

#[no_mangle]
pub extern "C" fn answer(i: usize) -> u32 {
    let answers = ANSWERS.get_or_init(|| WORDS.iter().zip(0..).map(|(w, n)| (w.to_string(), n)).collect());
    answers[WORDS[i]]
}

#[no_mangle]
pub extern "C" fn seen(n: u32) -> usize {
    SEEN.with_borrow_mut(|seen| {
        seen.insert(n, WORDS[n as usize % 5]);
        seen.values().map(|word| word.len()).sum()
    })
}

#[no_mangle]
pub extern "C" fn store(i: usize, value: u8) -> u8 {
    std::mem::replace(&mut ZEROED.lock().unwrap()[i], value)
}

#[no_mangle]
pub extern "C" fn show(n: i64) -> usize {
    fn length(value: &dyn Debug) -> usize {
        format!("{value:?}").len()
    }
    length(&n) + length(&Some("text")) + length(&[1.25f32, f32::NAN]) + length(&'\u{e9}'.to_uppercase())
}

#[no_mangle]
pub extern "C" fn fail(n: u32) -> u32 {
    let parsed: Result<u32, _> = WORDS[n as usize].parse::<u32>();
    match parsed {
        Ok(value) => value,
        Err(error) => panic!("{error} in {}", std::any::type_name::<dyn Operation>()),
    }
}
