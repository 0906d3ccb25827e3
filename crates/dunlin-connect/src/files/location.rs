//! Where a file store's tables lie: one file, one glob or one folder. Lists names; reads no rows.

use std::path::{Component, Path, PathBuf};

use super::dialect::Dialect;
use super::disk::{failed, list, shown};
use crate::{ConnectError, FileFormat, OpenOptions, Result, TableName};

/// The ending of the folder in which a target's parts lie beside its file.
pub(super) const PARTS: &str = ".dunlin-parts";

/// What the URL names.
#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Glob(String),
    Folder,
}

/// A file store's place and spelling.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The store's name in the plan.
    pub(super) store: String,
    /// The folder that split descriptors name files from.
    pub(super) root: PathBuf,
    place: Place,
    options: OpenOptions,
}

/// One table's place.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// Its name.
    pub(super) name: String,
    pub(super) format: FileFormat,
    pub(super) dialect: Dialect,
    pub(super) files: Files,
}

/// The files of a table.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// One file, which need not be there yet.
    One(PathBuf),
    /// The files of a glob, by name; never a target.
    Many(Vec<PathBuf>),
}

impl Home {
    /// The file's parts folder, where the table can be a target.
    pub(super) fn parts(&self) -> Option<PathBuf> {
        let Files::One(path) = &self.files else { return None };
        let mut name = path.as_os_str().to_owned();
        name.push(PARTS);
        Some(name.into())
    }

    /// The ending of its data files.
    pub(super) fn ending(&self) -> &'static str {
        match self.format {
            FileFormat::Csv => "csv",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Parquet => "parquet",
        }
    }
}

impl Location {
    /// Understands the part of the URL behind `file:`.
    pub(super) fn parse(store: &str, url: &str, options: &OpenOptions) -> Result<Self> {
        let wrong = |message: &str, help: &str| ConnectError::Url {
            store: store.to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
        };
        let url = url.strip_prefix("//").unwrap_or(url);
        if url.is_empty() {
            return Err(wrong("the path is missing", "write `file:PATH`"));
        }
        // Whole paths from here on: the folder of `people.csv` would be an empty path, which no system call takes.
        let path = options.base.join(url);
        let path = tidy(&std::path::absolute(&path).unwrap_or(path));
        let (root, place) = if url.contains(['*', '?', '[']) {
            let root = path
                .components()
                .take_while(|c| !c.as_os_str().to_string_lossy().contains(['*', '?', '[']))
                .collect();
            let pattern = path.to_str().ok_or_else(|| wrong("the glob is not text", "use a plain path"))?;
            glob::Pattern::new(pattern).map_err(|_| {
                wrong("the glob cannot be understood", "use `*`, `?` and `[abc]` as a shell does")
            })?;
            (root, Place::Glob(pattern.to_owned()))
        } else if url.ends_with('/') || path.is_dir() {
            (path, Place::Folder)
        } else {
            (path.parent().map(Path::to_owned).unwrap_or_default(), Place::File(path))
        };
        let location = Self { store: store.to_owned(), root, place, options: options.clone() };
        if let Place::File(path) = &location.place {
            location.home(path)?;
        }
        // Options that contradict each other are told when the store is opened.
        Dialect::resolve(store, options, false)?;
        Ok(location)
    }

    /// The path that names the store, made canonical as far as it exists.
    pub(super) fn identity(&self) -> String {
        let path = match &self.place {
            Place::File(path) => canonical(path),
            Place::Folder => canonical(&self.root).join(""),
            Place::Glob(pattern) => {
                let rest = Path::new(pattern).strip_prefix(&self.root).unwrap_or(Path::new(pattern));
                canonical(&self.root).join(rest)
            }
        };
        format!("file:{}", path.display())
    }

    /// The tables that are there, by name.
    pub(super) fn homes(&self) -> Result<Vec<Home>> {
        match &self.place {
            Place::File(path) => {
                let home = self.home(path)?;
                let there = path.is_file() || home.parts().is_some_and(|p| p.join("table.json").is_file());
                Ok(if there { vec![home] } else { Vec::new() })
            }
            Place::Glob(pattern) => Ok(self.globbed(pattern)?.into_iter().collect()),
            Place::Folder => self.folder(),
        }
    }

    /// The table of this name, if it is there.
    pub(super) fn find(&self, name: &TableName) -> Result<Option<Home>> {
        if name.schema.is_some() {
            return Ok(None);
        }
        // A store that is one table may be named by the store's own name in the plan.
        let single = !matches!(self.place, Place::Folder) && name.name == self.store;
        Ok(self.homes()?.into_iter().find(|h| h.name == name.name || single))
    }

    /// Where a table of this name lies or would lie, to be written.
    pub(super) fn writable(&self, name: &TableName) -> Result<Home> {
        let unsupported =
            |what: String, help: String| ConnectError::Unsupported { store: self.store.clone(), what, help };
        match &self.place {
            Place::Glob(_) => Err(unsupported(
                "writing into a glob".into(),
                "name one file, or a folder with `/` at its end".into(),
            )),
            Place::File(path) => {
                let home = self.home(path)?;
                if name.schema.is_some() || (name.name != home.name && name.name != self.store) {
                    return Err(unsupported(
                        format!("a table {name} in a store that is one file"),
                        format!("its only table is `{}`", home.name),
                    ));
                }
                Ok(home)
            }
            Place::Folder => {
                if let Some(home) = self.find(name)? {
                    return Ok(home);
                }
                let plain = name.schema.is_none()
                    && !name.name.is_empty()
                    && !name.name.starts_with('.')
                    && !name.name.contains(['/', '\\', '\0']);
                if !plain {
                    return Err(unsupported(
                        format!("a table {name} in a folder of files"),
                        "a table's name becomes a file's name: no schema, no `/`, no leading dot".into(),
                    ));
                }
                let ending = match self.options.format {
                    Some(FileFormat::Csv) if self.options.delimiter == Some('\t') => "tsv",
                    Some(FileFormat::Csv) => "csv",
                    Some(FileFormat::Jsonl) => "jsonl",
                    Some(FileFormat::Parquet) | None => "parquet",
                };
                self.home(&self.root.join(format!("{}.{ending}", name.name)))
            }
        }
    }

    /// Whether the URL is a glob, which can only be read.
    pub(super) fn is_glob(&self) -> bool {
        matches!(self.place, Place::Glob(_))
    }

    fn home(&self, path: &Path) -> Result<Home> {
        let (format, tabs) = self.format_of(path).ok_or_else(|| ConnectError::Url {
            store: self.store.clone(),
            message: format!("the ending of {} tells no format", shown(path)),
            help: "set the store's `format` to `csv`, `jsonl` or `parquet`".into(),
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let dialect = Dialect::resolve(&self.store, &self.options, tabs)?;
        Ok(Home { name, format, dialect, files: Files::One(path.to_owned()) })
    }

    /// The format and whether tabs separate its fields.
    fn format_of(&self, path: &Path) -> Option<(FileFormat, bool)> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let by_ending = match ending.as_str() {
            "csv" => Some((FileFormat::Csv, false)),
            "tsv" | "tab" => Some((FileFormat::Csv, true)),
            "jsonl" | "ndjson" => Some((FileFormat::Jsonl, false)),
            "parquet" | "pq" => Some((FileFormat::Parquet, false)),
            _ => None,
        };
        match self.place {
            // In a folder the endings differ; the option is for new tables.
            Place::Folder => by_ending,
            _ => self.options.format.map(|f| (f, by_ending.is_some_and(|b| b.1))).or(by_ending),
        }
    }

    fn folder(&self) -> Result<Vec<Home>> {
        let mut homes: Vec<Home> = Vec::new();
        for path in list(&self.store, &self.root)? {
            let name = shown(&path);
            let path = match name.strip_suffix(PARTS) {
                Some(plain) if path.join("table.json").is_file() => self.root.join(plain),
                None if path.is_file() && !name.starts_with('.') => path,
                _ => continue,
            };
            if self.format_of(&path).is_none() {
                continue;
            }
            let home = self.home(&path)?;
            let twin = homes.iter().find(|h| h.name == home.name);
            match twin.map(|t| &t.files) {
                None => homes.push(home),
                Some(Files::One(other)) if *other == path => {}
                Some(_) => {
                    return Err(ConnectError::Unsupported {
                        store: self.store.clone(),
                        what: format!("two files for one table `{}`", home.name),
                        help: "rename one of them, or name the file itself in the store's URL".into(),
                    });
                }
            }
        }
        homes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(homes)
    }

    fn globbed(&self, pattern: &str) -> Result<Option<Home>> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let found = glob::glob_with(pattern, options).map_err(|_| ConnectError::Url {
            store: self.store.clone(),
            message: "the glob cannot be understood".into(),
            help: "use `*`, `?` and `[abc]` as a shell does".into(),
        })?;
        let mut files = Vec::new();
        for path in found {
            let path = path.map_err(|e| failed(&self.store, "list the files of the glob", e.error()))?;
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let Some(first) = files.first() else { return Ok(None) };
        let mut home = self.home(first)?;
        let mixed = files.iter().find(|f| self.format_of(f).map(|x| x.0) != Some(home.format));
        if let Some(other) = mixed {
            return Err(ConnectError::Unsupported {
                store: self.store.clone(),
                what: format!("a glob over several formats ({} and {})", shown(first), shown(other)),
                help: "narrow the glob to one ending".into(),
            });
        }
        home.name = glob_name(pattern);
        home.files = Files::Many(files);
        Ok(Some(home))
    }
}

/// A glob's table name: its last part without wildcards, or its folder where nothing is left.
fn glob_name(pattern: &str) -> String {
    let path = Path::new(pattern);
    let wild = |c: char| "*?[]!".contains(c);
    let edge = |c: char| wild(c) || "-_. ".contains(c);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem = stem.split('[').next().unwrap_or_default().trim_matches(edge).replace(wild, "");
    if !stem.is_empty() {
        return stem;
    }
    let folder = path.ancestors().skip(1).filter_map(Path::file_name).map(|n| n.to_string_lossy());
    folder.map(String::from).find(|n| !n.contains(wild)).unwrap_or_else(|| "files".into())
}

/// The path with everything that exists of it made canonical, so that making the rest does not change it.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|a| Some((a, a.canonicalize().ok()?)));
    match there {
        Some((there, canonical)) => match path.strip_prefix(there) {
            Ok(rest) if !rest.as_os_str().is_empty() => canonical.join(rest),
            _ => canonical,
        },
        None => path,
    }
}

/// Removes `.` and resolves `..` in the text of a path; links are left to the system.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_named_after_what_it_says() {
        assert_eq!(glob_name("/data/accounts/*.csv"), "accounts");
        assert_eq!(glob_name("/data/orders_*.csv"), "orders");
        assert_eq!(glob_name("/data/orders-20[0-9][0-9].csv"), "orders-20");
    }

    #[test]
    fn paths_start_from_the_base() {
        let options = OpenOptions { base: "/plan".into(), ..OpenOptions::default() };
        let location = Location::parse("s", "../a/b.csv", &options).unwrap();
        assert_eq!(location.root, Path::new("/a"));
        assert!(Location::parse("s", "a.unknown", &options).is_err());
        assert!(Location::parse("s", "", &options).is_err());
    }
}
