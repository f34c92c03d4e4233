//! load DIRECTORY: runs the modules of DIRECTORY/layout.json on one memory, in wasmi.
use std::{collections::HashMap, fs, path::Path, sync::OnceLock};

use anyhow::{Context, Result};
use serde_json::Value;
use wasmi::{
    Caller, Engine, Extern, ExternType, Func, Global, Instance, Memory, MemoryType, Module, Mutability, Nullable, Ref, RefType,
    Store, Table, TableType, Val,
};

/// What modules import from the host, by module and name.
type Host = HashMap<(&'static str, &'static str), Extern>;

/// The memory, and the instances by name.
fn load<T>(store: &mut Store<T>, host: &Host, directory: &Path) -> Result<(Memory, HashMap<String, Instance>)> {
    let layout: Value = serde_json::from_str(&fs::read_to_string(directory.join("layout.json"))?)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_u64().map(|number| number as u32);
    let maximum = number(&layout["maximumPages"]);
    let memory = Memory::new(
        &mut *store,
        MemoryType::new(number(&layout["pages"]).context("pages")?, maximum),
    )?;
    let make_table =
        |store: &mut Store<T>, size| Table::new(store, TableType::new(RefType::Func, size, None), Ref::Func(Nullable::Null));
    let stack =
        number(&layout["stackPointer"]).map(|pointer| Global::new(&mut *store, Val::I32(pointer as i32), Mutability::Var));
    let table = number(&layout["tableSize"]).map(|size| make_table(store, size)).transpose()?;

    let all = layout["modules"].as_array().context("modules")?;
    let order: Vec<&Value> = layout["instantiationOrder"]
        .as_array()
        .context("order")?
        .iter()
        .filter_map(|name| all.iter().find(|module| module["name"] == *name))
        .collect();
    let mut instances = HashMap::new();
    for placed in &order {
        let name = text(&placed["name"]).context("name")?;
        let file = directory.join(text(&placed["file"]).context("file")?);
        let module = Module::new(store.engine(), fs::read(file)?)?;
        let mut imports = Vec::<Extern>::new();
        for wanted in module.imports() {
            let (from, what) = (wanted.module(), wanted.name());
            let source = placed["imports"]
                .as_array()
                .context("imports")?
                .iter()
                .find(|import| import["module"] == from && import["name"] == what);
            imports.push(match (wanted.ty(), source) {
                (ExternType::Memory(_), None) => memory.into(),
                (ExternType::Global(_), None) => stack.context("the stack")?.into(),
                (ExternType::Table(_), None) => match table {
                    Some(table) => table.into(),
                    None => {
                        // of its own
                        let end = placed["tableBase"]
                            .as_u64()
                            .zip(placed["tableSize"].as_u64())
                            .context("tableSize")?;
                        make_table(store, (end.0 + end.1) as u32)?.into()
                    }
                },
                (_, Some(source)) if !source["from"].is_null() => {
                    anyhow::ensure!(
                        source["deferred"] == false,
                        "{name} and {} import from each other",
                        source["from"]
                    );
                    let exporter: &Instance = &instances[source["from"].as_str().context("from")?];
                    exporter.get_export(&*store, what).context("export")?
                }
                _ => *host
                    .get(&(from, what))
                    .with_context(|| format!("the host has no {from}.{what}"))?,
            });
        }
        instances.insert(name, Instance::new(&mut *store, &module, &imports)?);
    }
    for placed in &order {
        if let Some(constructors) = placed["constructors"].as_str() {
            let instance = &instances[placed["name"].as_str().context("name")?];
            instance
                .get_typed_func::<(), ()>(&*store, constructors)?
                .call(&mut *store, ())?;
        }
    }
    Ok((memory, instances))
}

fn text_at(bytes: &[u8], address: i32) -> String {
    bytes[address as u32 as usize..]
        .iter()
        .take_while(|byte| **byte != 0)
        .map(|byte| *byte as char)
        .collect()
}

fn main() -> Result<()> {
    let directory = std::env::args().nth(1).context("usage: load DIRECTORY")?;
    let engine = Engine::default();
    let mut store = Store::new(&engine, OnceLock::<Memory>::new());
    let report = Func::wrap(&mut store, |caller: Caller<OnceLock<Memory>>, name: i32, price: i32| {
        let memory = caller.data().get().expect("it is called when all is loaded");
        println!("{:8} {price:2}", text_at(memory.data(&caller), name));
    });
    let host = Host::from([(("host", "report"), report.into())]);
    let (memory, instances) = load(&mut store, &host, Path::new(&directory))?;
    store.data().set(memory).ok();
    let stock = instances["stock"];
    stock.get_typed_func::<(), ()>(&store, "report_stock")?.call(&mut store, ())?;
    let cheapest = stock.get_typed_func::<(), i32>(&store, "cheapest")?.call(&mut store, ())?;
    println!("cheapest: {}", text_at(memory.data(&store), cheapest));
    Ok(())
}
