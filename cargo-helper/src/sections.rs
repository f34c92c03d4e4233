//! Which sections a module has. `wasmshare inspect` says when a module cannot be moved, but not, to a program, that the
//! reason is one that linking it again takes away.

use anyhow::{Context, Result};
use std::path::Path;

/// Whether a module has the custom section `linking`, without which relocations mean nothing. What is no module has what
/// it needs: `wasmshare` says what is wrong with it.
pub fn has_relocations(file: &Path) -> Result<bool> {
    let bytes =
        std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    Ok(has_custom_section(&bytes, b"linking").unwrap_or(true))
}

fn has_custom_section(module: &[u8], name: &[u8]) -> Option<bool> {
    let mut rest = module.get(8..)?;
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = leb128(after)?;
        let content = after.get(..size)?;
        if *id == 0 {
            let (length, content) = leb128(content)?;
            if content.get(..length)? == name {
                return Some(true);
            }
        }
        rest = &after[size..];
    }
    Some(false)
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_are_found_by_name() {
        let module = b"\0asm\x01\0\0\0\x0a\x81\0z\0\x0a\x07linking\x02\x01\0\x05\x04name";
        assert_eq!(has_custom_section(module, b"linking"), Some(true));
        assert_eq!(has_custom_section(module, b"name"), Some(true));
        assert_eq!(has_custom_section(module, b"nam"), Some(false));
        assert_eq!(has_custom_section(&module[..20], b"linking"), None);
        assert_eq!(has_custom_section(b"", b"linking"), None);
    }
}
