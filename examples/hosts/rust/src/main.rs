//! load DIRECTORY: runs the modules of DIRECTORY/layout.json in wasmi, on the memory that env.wasm makes.
use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use wasmi::{Caller, Engine, Instance, Linker, Memory, Module, Store};

/// The instances by name, with "env". `linker` has what modules import from the host.
fn load<T>(store: &mut Store<T>, linker: &mut Linker<T>, directory: &Path) -> Result<HashMap<String, Instance>> {
    let layout: Value = serde_json::from_slice(&fs::read(directory.join("layout.json"))?)?;
    let placed = |name: &Value| layout["modules"].as_array()?.iter().find(|module| module["name"] == *name);
    let order = layout["instantiationOrder"].as_array().context("instantiationOrder")?;
    let mut instances = HashMap::<String, Instance>::new();
    for name in [&Value::from("env")].into_iter().chain(order) {
        for import in placed(name).and_then(|module| module["imports"].as_array()).into_iter().flatten() {
            let (Some(from), Some(module), Some(what)) =
                (import["from"].as_str(), import["module"].as_str(), import["name"].as_str())
            else {
                continue; // the host's
            };
            let exporter = instances.get(from).with_context(|| format!("{name} and {from} import from each other"))?;
            let export = exporter.get_export(&*store, what).context("export")?;
            linker.allow_shadowing(true).define(module, what, export)?;
        }
        let name = name.as_str().context("name")?;
        let module = Module::new(store.engine(), fs::read(directory.join(format!("{name}.wasm")))?)?;
        let instance = linker.instantiate_and_start(&mut *store, &module)?;
        if name == "env" {
            linker.instance(&mut *store, name, instance)?;
        }
        instances.insert(name.to_owned(), instance);
    }
    for name in order {
        if let Some(constructors) = placed(name).and_then(|module| module["constructors"].as_str()) {
            let instance = &instances[name.as_str().context("name")?];
            instance.get_typed_func::<(), ()>(&*store, constructors)?.call(&mut *store, ())?;
        }
    }
    Ok(instances)
}

fn main() -> Result<()> {
    let directory = std::env::args().nth(1).context("usage: load DIRECTORY")?;
    let engine = Engine::default();
    let (mut store, mut linker) = (Store::new(&engine, None::<Memory>), Linker::new(&engine));
    let text_at = |bytes: &[u8], address: i32| -> String {
        let text = bytes[address as u32 as usize..].iter().take_while(|byte| **byte != 0);
        text.map(|byte| *byte as char).collect()
    };
    linker.func_wrap(
        "host",
        "report",
        move |caller: Caller<Option<Memory>>, name: i32, price: i32| {
            let memory = caller.data().expect("it is called when all is loaded");
            println!("{:8} {price:2}", text_at(memory.data(&caller), name));
        },
    )?;
    let instances = load(&mut store, &mut linker, Path::new(&directory))?;
    let memory = instances["env"].get_memory(&store, "memory").context("memory")?;
    *store.data_mut() = Some(memory);
    let stock = instances["stock"];
    stock.get_typed_func::<(), ()>(&store, "report_stock")?.call(&mut store, ())?;
    let cheapest = stock.get_typed_func::<(), i32>(&store, "cheapest")?.call(&mut store, ())?;
    println!("cheapest: {}", text_at(memory.data(&store), cheapest));
    Ok(())
}
