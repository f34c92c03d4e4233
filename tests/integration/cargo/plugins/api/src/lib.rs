//! What host and plug-ins have in common.
use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

pub trait Plugin: Send {
    fn name(&self) -> &str;
    fn pattern(&self) -> &Regex;
    fn found(&mut self, captures: &Captures) -> Box<dyn Finding>;
}

pub trait Finding {
    fn describe(&self) -> String;
}

static PLUGINS: Mutex<Vec<Box<dyn Plugin>>> = Mutex::new(Vec::new());
static COUNTS: LazyLock<Mutex<BTreeMap<String, usize>>> = LazyLock::new(|| {
    log::info!("counting begins");
    Mutex::default()
});

pub fn register(plugin: Box<dyn Plugin>) {
    log::info!("{} is registered", plugin.name());
    PLUGINS.lock().unwrap().push(plugin);
}

pub fn unregister_all() -> Vec<Box<dyn Plugin>> {
    std::mem::take(&mut PLUGINS.lock().unwrap())
}

/// What all plug-ins find in a line.
pub fn search(line: &str) -> Vec<Box<dyn Finding>> {
    let mut findings = Vec::new();
    for plugin in PLUGINS.lock().unwrap().iter_mut() {
        let pattern = plugin.pattern().clone();
        for captures in pattern.captures_iter(line) {
            findings.push(plugin.found(&captures));
            count(plugin.name());
        }
    }
    findings
}

pub fn count(name: &str) {
    *COUNTS.lock().unwrap().entry(name.to_owned()).or_default() += 1;
}

pub fn counts() -> String {
    format!("{:?}", COUNTS.lock().unwrap())
}
