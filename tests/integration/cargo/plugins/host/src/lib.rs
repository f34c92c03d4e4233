//! The host: it has the logger, and calls the plug-ins.
use log::{Level, LevelFilter, Log, Metadata, Record};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn say(text: *const u8, size: usize);
}
unsafe extern "C" {
    fn words_register();
    fn numbers_register();
    fn dates_register();
    fn dates_today() -> *mut ();
}

fn print(text: &str) {
    unsafe { say(text.as_ptr(), text.len()) }
}

struct Logger;
impl Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Info
    }
    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            print(&format!("[{} {}] {}", record.level(), record.target(), record.args()));
        }
    }
    fn flush(&self) {}
}

#[unsafe(no_mangle)]
pub extern "C" fn run() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(LevelFilter::Debug);
    unsafe {
        words_register();
        numbers_register();
        dates_register();
    }
    for line in ["On 2024-02-29 the café had 17 guests", "nothing", "2024-13-01 is no day; 3 4 5"] {
        let findings = api::search(line);
        print(&format!("{line}: {}", findings.iter().map(|f| f.describe()).collect::<Vec<_>>().join(", ")));
    }
    api::count("host");
    print(&api::counts());
    print(&unsafe { Box::from_raw(dates_today().cast::<String>()) });
    for plugin in api::unregister_all() {
        log::warn!("{} ends", plugin.name());
    }
}

/// Memory that is never given back shows.
#[unsafe(no_mangle)]
pub extern "C" fn again() -> usize {
    log::set_max_level(LevelFilter::Off);
    unsafe {
        words_register();
        numbers_register();
    }
    let found = (0..200).map(|n| api::search(&format!("word {n} and {n}")).len()).sum();
    api::unregister_all();
    found
}
