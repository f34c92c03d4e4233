//! Making a layout: its modules are placed, and those that use wasm-bindgen are bound. Nothing is written when nothing
//! has changed.

use crate::artifact::Artifact;
use crate::bindgen::{self, Bound};
use crate::bound::{self, Files, Place};
use crate::config::{Bindgen, Target};
use crate::inspect::inspect;
use crate::report::{self, shown};
use crate::stamp::Stamp;
use crate::tool::{self, did_you_mean};
use crate::workspace::Workspace;
use crate::{combine, config, divided};
use anyhow::{bail, Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is made, and where.
pub struct Layout<'a> {
    pub workspace: &'a Workspace,
    pub modules: &'a [Artifact],
    /// What is only of use for making it again.
    pub scratch: &'a Path,
    pub dir: &'a Path,
    /// Whether it has the further files that the configuration names: the workspace's own layout has.
    pub with_outputs: bool,
    pub quiet: bool,
}

/// The extensions of what `wasmshare combine` names after the layout.
const LAYOUT_FILES: [&str; 4] = ["h", "json", "mjs", "d.mts"];

impl Layout<'_> {
    /// Writes the layout, with the modules of `targets` bound; returns the path of its JavaScript, or of the one module that
    /// there is in its place.
    pub fn write(&self, targets: &[(usize, Target)]) -> Result<PathBuf> {
        make_directory(self.scratch)?;
        make_directory(self.dir)?;
        let (placed, combining, binding) = self.commands(targets)?;
        let inputs: Vec<&Path> = self
            .modules
            .iter()
            .map(|module| module.path.as_path())
            .collect();
        let commands: Vec<&Command> = std::iter::once(&combining).chain(&binding).collect();
        let stamp_file = format!("{}.stamp", self.workspace.layout());
        let stamp = Stamp::new(self.scratch.join(stamp_file), &commands, &inputs);
        if let Some(said) = stamp.fresh() {
            self.report("Fresh", &said);
            return Ok(self.main_file(targets));
        }
        self.report("Combining", "");
        let mut said = combine::run(combining)?;
        if self.with_outputs && self.workspace.bindgen().is_none() && self.uses_wasm_bindgen()? {
            said += &config::key_line("bindgen = \"web\"");
        }
        said += &self.divided()?;
        let outputs = match targets.first() {
            None => self.combined(),
            Some((_, target)) if self.single().is_some() => self.bind_single(&placed, *target)?,
            Some(_) => {
                let bound = self.bind(&placed, targets, &self.workspace.bindgen_flags())?;
                let files = self.bound_files(&placed, &bound)?;
                write(self.dir, &files)?;
                files.iter().map(|(path, _)| self.dir.join(path)).collect()
            }
        };
        if !self.quiet {
            eprint!("{said}");
        }
        stamp.write(&outputs, &said)?;
        Ok(self.main_file(targets))
    }

    /// Which statics of its own crates the workspace's modules have each for itself, unless they are one program.
    fn divided(&self) -> Result<String> {
        if !self.with_outputs || self.workspace.is_one_program() {
            return Ok(String::new());
        }
        let crates = self.workspace.crates();
        let mut found = Vec::new();
        for module in self
            .modules
            .iter()
            .filter(|module| module.package.is_some())
        {
            let facts = inspect(&module.path)?;
            let variables = divided::variables(facts.rust_variables(), &crates);
            found.push((module.name.clone(), variables));
        }
        let key = config::key_line("link = true");
        Ok(divided::note(&found).map_or(String::new(), |note| note + &key))
    }

    fn uses_wasm_bindgen(&self) -> Result<bool> {
        for module in self.modules {
            if inspect(&module.path)?.is_for_wasm_bindgen() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn single(&self) -> Option<&str> {
        self.workspace.single().filter(|_| self.with_outputs)
    }

    fn main_file(&self, targets: &[(usize, Target)]) -> PathBuf {
        match self.single() {
            Some(file) if targets.is_empty() => self.dir.join(file),
            Some(file) => self.dir.join(file).with_extension("js"),
            None => self.dir.join(format!("{}.mjs", self.workspace.layout())),
        }
    }

    /// One module is bound as any is: it has no others to be wired to.
    fn bind_single(&self, placed: &Path, target: Target) -> Result<Vec<PathBuf>> {
        let file = self.single().unwrap_or_default();
        self.status("Binding", format_args!("{file}"));
        let mut binding = Command::new(bindgen::find(self.workspace.wasm_bindgen().as_deref())?);
        binding
            .args(["--target", target.name(), "--out-dir"])
            .arg(self.dir);
        binding
            .args(self.workspace.bindgen_flags())
            .arg(placed.join(file));
        let status = binding.status();
        if !tool::started(status, &binding)?.success() {
            bail!("wasm-bindgen could not bind {file}");
        }
        Ok(vec![self.dir.join(file).with_extension("js")])
    }

    /// Writes a package: one module, bound, which finds the layout and the modules that it needs beside itself.
    pub fn write_package(
        &self,
        module: usize,
        target: Target,
        flags: &[OsString],
        out_name: &str,
    ) -> Result<()> {
        make_directory(self.scratch)?;
        let (placed, combining, _) = self.commands(&[(module, target)])?;
        let said = combine::run(combining)?;
        let layout = read_layout(&placed, self.workspace.layout())?;
        // all but itself: its own JavaScript knows where it is
        let carried = needed(&layout, &self.modules[module].name).split_off(1);
        let mut targets = vec![(module, target)];
        for (i, other) in self.modules.iter().enumerate() {
            let is_carried = carried.contains(&other.name.as_str());
            if is_carried && inspect(&other.path)?.is_for_wasm_bindgen() {
                targets.push((i, Target::Bundler));
            }
        }
        let bound = self.bind(&placed, &targets, flags)?;
        let mut beside = self.layout_files(&placed, &bound, &carried)?;
        let layout = self.workspace.layout();
        let commonjs = bound::need_commonjs(&bound);
        for other in &bound[1..] {
            beside.extend(bound::module(layout, other, &Place::Directory, commonjs)?);
        }
        let place = Place::Package { out_name };
        let mut files = bound::module(layout, &bound[0], &place, commonjs)?;
        let own = bound::beside_package(&self.modules[module].name);
        let below = |(path, content)| (Path::new(&own).join(path), content);
        files.extend(beside.into_iter().map(below));
        let with_types = !bound[0].types.is_empty();
        files.retain(|(path, _)| is_for_javascript(path, with_types));
        if commonjs {
            // whose package is one of CommonJS, but for what is there
            files.push(("snippets/package.json".into(), PACKAGE.into()));
        }
        write(self.dir, &files)?;
        if !self.quiet {
            eprint!("{said}");
        }
        Ok(())
    }

    /// Where modules are placed, and the commands that place and bind them.
    fn commands(&self, targets: &[(usize, Target)]) -> Result<(PathBuf, Command, Option<Command>)> {
        let bind = !targets.is_empty();
        let placed = match bind {
            true => self.scratch.join("placed"),
            false => self.dir.to_owned(),
        };
        make_directory(&placed)?;
        let directory = self.single().is_none().then_some(placed.as_path());
        let mut combining = combine::command(self.workspace, self.modules, directory)?;
        for (key, file) in self.outputs() {
            combining.arg(format!("--{key}={}", placed.join(file).display()));
        }
        if !bind {
            return Ok((placed, combining, None));
        }
        combining.arg("--host-imports=__wbindgen_placeholder__");
        let mut binding = Command::new(bindgen::find(self.workspace.wasm_bindgen().as_deref())?);
        binding.args(self.workspace.bindgen_flags());
        binding.args(
            targets.iter().map(|(module, target)| {
                format!("{}={}", self.modules[*module].name, target.name())
            }),
        );
        Ok((placed, combining, Some(binding)))
    }

    fn outputs(&self) -> &[(String, String)] {
        match self.with_outputs {
            true => self.workspace.outputs(),
            false => &[],
        }
    }

    fn bind(
        &self,
        placed: &Path,
        targets: &[(usize, Target)],
        flags: &[OsString],
    ) -> Result<Vec<Bound>> {
        let program = bindgen::find(self.workspace.wasm_bindgen().as_deref())?;
        let scratch = self.scratch.join("bindgen");
        self.check_threads(placed, targets.len())?;
        let bind = |(module, target): &(usize, Target)| {
            let name = &self.modules[*module].name;
            self.status("Binding", format_args!("{name}"));
            let file = placed.join(format!("{name}.wasm"));
            bindgen::bind(&program, &file, name, *target, flags, &scratch)
        };
        targets.iter().map(bind).collect()
    }

    /// With threads, wasm-bindgen takes the page behind the layout's for itself, in every module the same one.
    fn check_threads(&self, placed: &Path, bound: usize) -> Result<()> {
        if bound > 1 && read_layout(placed, self.workspace.layout())?["shared"] == true {
            bail!("with threads, one module of a layout can be wasm-bindgen's: it numbers the threads of each by itself");
        }
        Ok(())
    }

    fn bound_files(&self, placed: &Path, bound: &[Bound]) -> Result<Files> {
        let names: Vec<&str> = self
            .modules
            .iter()
            .map(|module| module.name.as_str())
            .collect();
        let mut files = self.layout_files(placed, bound, &names)?;
        let commonjs = bound::need_commonjs(bound);
        for module in bound {
            let layout = self.workspace.layout();
            files.extend(bound::module(layout, module, &Place::Directory, commonjs)?);
        }
        // Node takes .js for CommonJS unless it is told otherwise
        if !self.dir.join("package.json").exists() || self.is_ours("package.json") {
            files.push(("package.json".into(), PACKAGE.into()));
        }
        Ok(files)
    }

    fn is_ours(&self, file: &str) -> bool {
        std::fs::read(self.dir.join(file)).is_ok_and(|content| content == PACKAGE.as_bytes())
    }

    /// The layout's own files, and `carried`, those modules of it that are not bound.
    fn layout_files(&self, placed: &Path, bound: &[Bound], carried: &[&str]) -> Result<Files> {
        let layout = self.workspace.layout();
        let mut files = Files::new();
        let mut everything = Vec::new();
        for extension in LAYOUT_FILES {
            let content = read(&placed.join(format!("{layout}.{extension}")))?;
            everything.push(content.clone());
            let name = match extension {
                "mjs" | "d.mts" => format!("{layout}.placed.{extension}"),
                _ => format!("{layout}.{extension}"),
            };
            files.push((name.into(), content));
        }
        for (_, file) in self.outputs() {
            files.push((file.into(), read(&placed.join(file))?));
        }
        for module in self.modules {
            let content = read(&placed.join(format!("{}.wasm", module.name)))?;
            everything.push(content.clone());
            if carried.contains(&module.name.as_str())
                && bound.iter().all(|bound| bound.name != module.name)
            {
                files.push((format!("{}.wasm", module.name).into(), content));
            }
        }
        let script = read(&placed.join(format!("{layout}.mjs")))?;
        files.extend(bound::layout(
            layout,
            bound::hash(&everything),
            bound,
            carried,
            &String::from_utf8_lossy(&script),
        )?);
        Ok(files)
    }

    /// What `wasmshare combine` writes.
    fn combined(&self) -> Vec<PathBuf> {
        if let Some(file) = self.single() {
            return vec![self.dir.join(file)];
        }
        let layout = self.workspace.layout();
        let files = LAYOUT_FILES.map(|extension| format!("{layout}.{extension}"));
        let modules = self
            .modules
            .iter()
            .map(|module| format!("{}.wasm", module.name));
        let others = self.outputs().iter().map(|(_, file)| file.clone());
        let all = files.into_iter().chain(modules).chain(others);
        all.map(|file| self.dir.join(file)).collect()
    }

    fn report(&self, verb: &str, said: &str) {
        let names: Vec<&str> = self
            .modules
            .iter()
            .map(|module| module.name.as_str())
            .collect();
        self.status(
            verb,
            format_args!("{} ({})", names.join(", "), shown(self.dir)),
        );
        if !self.quiet {
            eprint!("{said}");
        }
    }

    fn status(&self, verb: &str, what: std::fmt::Arguments) {
        if !self.quiet {
            report::status(verb, what);
        }
    }
}

const PACKAGE: &str = "{ \"type\": \"module\" }\n";

/// What a package has no use for would only be loaded: Trunk has pages load all that it finds as JavaScript.
fn is_for_javascript(file: &Path, with_types: bool) -> bool {
    let name = file.to_string_lossy();
    let is_types = [".d.ts", ".d.mts", ".d.cts"]
        .iter()
        .any(|end| name.ends_with(end));
    let is_of_layout = name.ends_with(".h") || name.ends_with(".json");
    !is_of_layout && (with_types || !is_types)
}

/// Which of the modules are to be bound, and how.
pub fn targets(workspace: &Workspace, modules: &[Artifact]) -> Result<Vec<(usize, Target)>> {
    let mut targets = Vec::new();
    let Some(wanted) = workspace.bindgen() else {
        return Ok(targets);
    };
    for (i, module) in modules.iter().enumerate() {
        let target = match wanted {
            Bindgen::All(target) => Some(*target),
            Bindgen::Each(each) => each
                .iter()
                .find(|(name, _)| module.is_called(name))
                .map(|(_, target)| *target),
        };
        if let Some(target) = target {
            if inspect(&module.path)?.is_for_wasm_bindgen() {
                targets.push((i, target));
            } else if let Bindgen::Each(_) = wanted {
                let error = format!("bindgen: {} does not use wasm-bindgen", module.name);
                return Err(config::in_config(workspace.root(), error));
            }
        }
    }
    if let Bindgen::Each(each) = wanted {
        let known = |name: &str| modules.iter().any(|module| module.is_called(name));
        if let Some((name, _)) = each.iter().find(|(name, _)| !known(name)) {
            let near = did_you_mean(name, modules.iter().map(|module| module.name.as_str()));
            return Err(config::in_config(
                workspace.root(),
                format!("bindgen: there is no module {name}{near}"),
            ));
        }
    }
    Ok(targets)
}

fn read_layout(dir: &Path, name: &str) -> Result<serde_json::Value> {
    let file = dir.join(format!("{name}.json"));
    serde_json::from_slice(&read(&file)?)
        .with_context(|| format!("could not read {}", file.display()))
}

/// A module and those that it needs, directly or not: in one program, all.
fn needed<'a>(layout: &'a serde_json::Value, name: &'a str) -> Vec<&'a str> {
    let modules = layout["modules"].as_array().into_iter().flatten();
    let mut names = vec![name];
    if layout["linked"] == true {
        let all = modules.clone().filter_map(|module| module["name"].as_str());
        names.extend(all.filter(|other| *other != name));
    }
    let mut at = 0;
    while at < names.len() {
        let module = modules.clone().find(|module| module["name"] == names[at]);
        let uses = ["imports", "bindings"]
            .iter()
            .filter_map(|key| module?[key].as_array())
            .flatten();
        for from in uses.filter_map(|used| used["from"].as_str()) {
            if !names.contains(&from) {
                names.push(from);
            }
        }
        at += 1;
    }
    names
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("could not read {}", path.display()))
}

fn write(dir: &Path, files: &Files) -> Result<()> {
    bound::write(dir, files).with_context(|| format!("could not write to {}", shown(dir)))
}

pub fn make_directory(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)
        .with_context(|| format!("could not create the directory {}", shown(dir)))
}
