//! The same as one program that cargo links.
extern crate dates;
extern crate host;
extern crate numbers;
extern crate words;
