use api::{Finding, Plugin};
use regex::{Captures, Regex};

struct Numbers {
    pattern: Regex,
    sum: u64,
}
struct Number(u64, u64);

impl Plugin for Numbers {
    fn name(&self) -> &str {
        "numbers"
    }
    fn pattern(&self) -> &Regex {
        &self.pattern
    }
    fn found(&mut self, captures: &Captures) -> Box<dyn Finding> {
        let n = captures["n"].parse().unwrap();
        self.sum += n;
        api::count("numbers seen");
        Box::new(Number(n, self.sum))
    }
}
impl Finding for Number {
    fn describe(&self) -> String {
        format!("{} of {}", self.0, self.1)
    }
}
impl Drop for Numbers {
    fn drop(&mut self) {
        log::info!("numbers are dropped, {} in all", self.sum);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn numbers_register() {
    api::register(Box::new(Numbers { pattern: Regex::new(r"(?:^|\s)(?<n>\d+)\b").unwrap(), sum: 0 }));
}
