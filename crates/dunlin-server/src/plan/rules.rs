//! What a plan that is edited through the server may name: files inside the workspace or `allow_paths` and never in
//! `.dunlin/`, variables called `DUNLIN_*` or listed, hosts that are listed. Stores that stand unchanged in the plan
//! came from whoever holds the folder and are left alone.

use std::path::{Component, Path, PathBuf};

use dunlin_plan::{Finding, Plan, Scheme, StorePlan, StoreUrl};

use crate::config::ServerConfig;

/// What the configuration allows.
pub(crate) struct Allowed<'a> {
    /// The workspace's folder.
    pub(crate) dir: &'a Path,
    /// More folders.
    pub(crate) paths: &'a [PathBuf],
    /// Hosts.
    pub(crate) hosts: &'a [String],
    /// Variables.
    pub(crate) env: &'a [String],
}

impl<'a> Allowed<'a> {
    /// As a configuration says.
    pub(crate) fn by(config: &'a ServerConfig, dir: &'a Path) -> Allowed<'a> {
        Allowed { dir, paths: &config.allow_paths, hosts: &config.allow_hosts, env: &config.allow_env }
    }
}

/// The stores of the new plan that are not in the old one, or not in this form.
pub(crate) fn changed_stores<'p>(old: Option<&Plan>, new: &'p Plan) -> Vec<&'p StorePlan> {
    let same = |store: &&StorePlan| {
        let before = old.and_then(|plan| plan.stores.get(&store.name));
        let form = |store: &StorePlan| serde_json::to_value(store).unwrap_or_default();
        before.is_some_and(|before| form(before) == form(store))
    };
    new.stores.values().filter(|store| !same(store)).collect()
}

/// Whether an edit gives anybody a role, or another organisation, that the plan did not give before: accounts take both
/// from the plan, so such an edit is as good as authorising them.
pub(crate) fn authorises(old: Option<&Plan>, new: &Plan) -> bool {
    let known = |person: &dunlin_plan::Person| {
        old.is_some_and(|plan| {
            plan.people.iter().any(|before| {
                before.email.eq_ignore_ascii_case(&person.email)
                    && before.role == person.role
                    && before.organisation == person.organisation
            })
        })
    };
    !new.people.iter().all(known)
}

/// Everything that the edited plan may not name.
pub(crate) fn check(old: Option<&Plan>, new: &Plan, allowed: &Allowed<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        changed_stores(old, new).into_iter().filter_map(|store| check_store(store, allowed)).collect();
    let notices = new.notices.iter().map(|notice| (notice.file.as_str(), notice.span));
    let logo =
        new.company.iter().filter_map(|c| c.logo.as_deref()).map(|logo| (logo, dunlin_plan::Span::default()));
    for (path, span) in notices.chain(logo) {
        found.extend(check_path(path, allowed).map(|why| refused_path(span, "a file", why)));
    }
    found
}

fn check_store(store: &StorePlan, allowed: &Allowed<'_>) -> Option<Finding> {
    let name = format!("store `{}`", store.name);
    match &store.url {
        StoreUrl::Env(variable) => {
            let listed = variable.starts_with("DUNLIN_") || allowed.env.contains(variable);
            (!listed).then(|| {
                let message = format!("{name} names a variable that the server may not read");
                Finding::error("server-env", store.span, message)
                    .help("call it `DUNLIN_…`, or list it in `allow_env` of server.toml")
            })
        }
        StoreUrl::Secret(path) => check_path(path, allowed).map(|why| refused_path(store.span, &name, why)),
        StoreUrl::Literal(url) => match Scheme::of(url) {
            Some(Scheme::Sqlite | Scheme::File) => {
                let path = url.split_once(':').map_or("", |(_, path)| path);
                check_path(path, allowed).map(|why| refused_path(store.span, &name, why))
            }
            _ => hosts(url).iter().any(|host| !is_listed(host, allowed.hosts)).then(|| {
                let message = format!("{name} is on a host that is not listed");
                Finding::error("server-host", store.span, message)
                    .help("list it in `allow_hosts` of server.toml, or keep the URL in `env:` or `secret:`")
            }),
        },
    }
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Outside,
    State,
}

fn refused_path(span: dunlin_plan::Span, what: &str, why: Why) -> Finding {
    match why {
        Why::Outside => Finding::error("server-path", span, format!("{what} lies outside the workspace"))
            .help("move it into the workspace, or list its folder in `allow_paths` of server.toml"),
        Why::State => Finding::error("server-path", span, format!("{what} lies in dunlin's own folder"))
            .help("`.dunlin/` is no place for data; choose another"),
    }
}

/// Whether a path leads outside, symbolic links followed as far as it exists. A glob counts from its last whole
/// folder on.
fn check_path(text: &str, allowed: &Allowed<'_>) -> Option<Why> {
    // `sqlite:crm.db?mode=ro` names `crm.db`; `//host/x` would be read as a path by some, as a host by others.
    let text = text.split('?').next().unwrap_or_default();
    if text.starts_with("//") || text.contains('\0') {
        return Some(Why::Outside);
    }
    let fixed: PathBuf = Path::new(text).components().take_while(|part| !is_glob(part)).collect();
    let globbed = Path::new(text).components().skip(fixed.components().count());
    if globbed.into_iter().any(|part| part == Component::ParentDir) {
        return Some(Why::Outside);
    }
    let Ok(root) = allowed.dir.canonicalize() else { return Some(Why::Outside) };
    let Some(path) = real_path(&root.join(fixed)) else { return Some(Why::Outside) };
    if path.starts_with(root.join(".dunlin")) {
        return Some(Why::State);
    }
    // A glob or a folder over the workspace itself would reach into `.dunlin/` with `**`.
    let deep = text.contains("**") && root.join(".dunlin").starts_with(&path);
    if deep {
        return Some(Why::State);
    }
    let inside = |folder: &Path| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder));
    let fits = inside(&root) || allowed.paths.iter().any(|folder| inside(folder));
    (!fits).then_some(Why::Outside)
}

fn is_glob(part: &Component<'_>) -> bool {
    part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{'])
}

/// The path with its links followed; what does not exist yet is taken as written, without any `..` in it.
fn real_path(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    // A link that leads nowhere yet: a store made there would be made where it points.
    if path.symlink_metadata().is_ok() {
        return None;
    }
    match path.components().next_back()? {
        Component::Normal(name) => Some(real_path(path.parent()?)?.join(name)),
        _ => None,
    }
}

/// Every host that a driver could take from a server's URL.
fn hosts(url: &str) -> Vec<String> {
    let Ok(parsed) = url::Url::parse(url) else { return vec![String::new()] };
    let mut hosts: Vec<String> = Vec::new();
    let named = parsed.host_str().unwrap_or_default();
    let query = parsed
        .query_pairs()
        .filter(|(name, _)| matches!(&*name.to_lowercase(), "host" | "hostaddr" | "socket"));
    let query: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
    if !named.is_empty() || query.is_empty() {
        hosts.push(named.to_owned());
    }
    hosts.extend(query);
    let one_by_one = hosts.iter().flat_map(|list| list.split(',')).map(|host| {
        let host = percent_decoded(host).to_lowercase();
        let bare = host.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
        let has_port = bare.matches(':').count() == 1;
        if has_port { bare.split(':').next().unwrap_or_default().to_owned() } else { bare }
    });
    one_by_one.collect()
}

fn percent_decoded(text: &str) -> String {
    let query = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn is_listed(host: &str, listed: &[String]) -> bool {
    !host.is_empty()
        && listed.iter().any(|entry| match entry.to_lowercase().strip_prefix("*.") {
            Some(domain) => {
                host.strip_suffix(domain).is_some_and(|start| start.ends_with('.') && start.len() > 1)
            }
            None => entry.eq_ignore_ascii_case(host),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(url: &str) -> Plan {
        // A file or a glob is one table; everything else has tables with names.
        let from = if url.starts_with("file:") && !url.ends_with('/') { "a" } else { "a.t" };
        let text = format!(
            "[plan]\nname = \"x\"\n[store.a]\nurl = \"{url}\"\n[store.b]\nurl = \"sqlite:b.db\"\n\
             [[table]]\nfrom = \"{from}\"\nto = \"b.t\"\nkey = [\"id\"]\n"
        );
        dunlin_plan::load(&text, "dunlin.toml").unwrap()
    }

    fn refused(url: &str, dir: &Path, more: &[PathBuf]) -> bool {
        let hosts = ["db.example".to_owned(), "*.in.example".to_owned()];
        let env = ["ATLAS_URL".to_owned()];
        let allowed = Allowed { dir, paths: more, hosts: &hosts, env: &env };
        !check(None, &plan(url), &allowed).is_empty()
    }

    #[test]
    fn paths_stay_inside_whatever_leads_out() {
        let home = tempfile::tempdir().unwrap();
        let (dir, out) = (home.path().join("w"), home.path().join("out"));
        for folder in [dir.join(".dunlin"), dir.join("data"), out.clone()] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::os::unix::fs::symlink(&out, dir.join("link")).unwrap();
        std::os::unix::fs::symlink(out.join("none.db"), dir.join("dangling")).unwrap();
        std::os::unix::fs::symlink(dir.join(".dunlin"), dir.join("state")).unwrap();
        for inside in
            ["sqlite:new.db", "file:data/*.csv", "file:data/", "sqlite:data/../x.db", "secret:data/url"]
        {
            assert!(!refused(inside, &dir, &[]), "{inside}");
        }
        let absolute = format!("sqlite:{}/x.db", out.display());
        for outside in [
            "sqlite:../x.db",
            "sqlite:data/../../out/x.db",
            "sqlite:/etc/passwd",
            "file://etc/passwd",
            "file:link/x.csv",
            "file:link/*.csv",
            "sqlite:dangling",
            "sqlite:.dunlin/state.db",
            "sqlite:./.dunlin/state.db?mode=ro",
            "file:state/*.db",
            "file:**/*.csv",
            "file:data/*/../../../x.csv",
            "secret:../url",
            "sqlite:not/there/../../../x.db",
            &absolute,
        ] {
            assert!(refused(outside, &dir, &[]), "{outside}");
        }
        assert!(!refused(&absolute, &dir, &[out]), "allow_paths");
    }

    #[test]
    fn hosts_and_variables_are_those_listed() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |url: &str| refused(url, dir.path(), &[]);
        for fine in [
            "postgres://u@db.example/x",
            "postgres://u@DB.example:5433/x",
            "mysql://a.in.example/x",
            "env:ATLAS_URL",
            "env:DUNLIN_X",
        ] {
            assert!(!refused(fine), "{fine}");
        }
        for bad in [
            "postgres://u@other.example/x",
            "postgres://u@in.example/x",
            "postgres://u@xin.example/x",
            "postgres://u@db.example/x?host=evil.example",
            "postgres://u@db.example/x?HOSTADDR=169.254.169.254",
            "postgres://u@169.254.169.254/x",
            "postgres://u@localhost/x",
            "postgres:///x?host=/var/run/postgresql",
            "postgres:///x",
            "env:PATH",
        ] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn what_was_there_before_stays() {
        let dir = tempfile::tempdir().unwrap();
        let allowed = Allowed { dir: dir.path(), paths: &[], hosts: &[], env: &[] };
        let old = plan("postgres://u@other.example/x");
        assert!(check(Some(&old), &old, &allowed).is_empty());
        assert!(changed_stores(Some(&old), &old).is_empty());
        let new = plan("postgres://u@other.example/y");
        assert_eq!(changed_stores(Some(&old), &new).len(), 1);
        assert_eq!(check(Some(&old), &new, &allowed).len(), 1);
    }
}
