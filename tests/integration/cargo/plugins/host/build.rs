fn main() {
    // the plug-ins' functions are not in this module
    println!("cargo::rustc-cdylib-link-arg=--allow-undefined");
}
