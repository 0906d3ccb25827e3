//! Gathers the web app for embedding: what `npm run build` made in `web/dist`, or one page that says how to make it.
//! It is: a copy into Cargo's own folder. It is not: a build of the app, for which Node would have to be here. A build
//! with debug information is one of somebody who works on dunlin: it reads `web/dist` when it is asked, so that a change
//! of the app does not compile the server again.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const NOT_BUILT: &str = include_str!("assets/not-built.html");

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("web");
    let dist = root.join("../../web/dist");
    // Cargo takes a folder that is missing for one that changed, and would build this crate again each time. Where
    // the sources cannot be written, that is the price.
    let _ = fs::create_dir_all(&dist);
    println!("cargo:rerun-if-changed=assets/not-built.html");
    let reads_disk = env::var("DEBUG").is_ok_and(|debug| debug != "false");
    let disk = if reads_disk { dist.display().to_string() } else { String::new() };
    println!("cargo:rustc-env=DUNLIN_WEB_DIST={disk}");
    if !reads_disk {
        println!("cargo:rerun-if-changed={}", dist.display());
    }
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    if !reads_disk && dist.join("index.html").is_file() {
        copy(&dist, &out)
    } else {
        fs::write(out.join("index.html"), NOT_BUILT)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // Notes of the build, for its own tools.
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
