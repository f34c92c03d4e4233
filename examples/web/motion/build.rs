fn main() {
    // for the variable of the C module
    println!("cargo::rustc-link-arg=--allow-undefined");
}
