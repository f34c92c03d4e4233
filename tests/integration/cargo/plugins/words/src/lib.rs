use api::{Finding, Plugin};
use regex::{Captures, Regex};
use std::cell::Cell;
use std::sync::LazyLock;

static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\b(café|on|the|word)\b").unwrap());
thread_local! { static SEEN: Cell<usize> = const { Cell::new(0) } }

struct Words;
struct Word(String, usize);

impl Plugin for Words {
    fn name(&self) -> &str {
        "words"
    }
    fn pattern(&self) -> &Regex {
        &PATTERN
    }
    fn found(&mut self, captures: &Captures) -> Box<dyn Finding> {
        SEEN.set(SEEN.get() + 1);
        log::debug!("{captures:?}");
        Box::new(Word(captures[1].to_uppercase(), SEEN.get()))
    }
}
impl Finding for Word {
    fn describe(&self) -> String {
        format!("{}({})", self.0, self.1)
    }
}
impl Drop for Words {
    fn drop(&mut self) {
        log::info!("words are dropped");
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn words_register() {
    api::register(Box::new(Words));
}
