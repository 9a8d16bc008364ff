//! `~` and `~user` at the beginning of a path, read as `os.path.expanduser` reads them.
//!
//! A shell expands them only where a word begins with them: not in `--out=~/lake`, and never in Python.

use std::borrow::Cow;
use std::path::PathBuf;

/// The system's list of users.
const USERS: &str = "/etc/passwd";

/// A local path whose first part may be `~` or `~user`. If there is no such user, or the home is not UTF-8, the path
/// stays unchanged: a file `~x` is found if no user has that name. A file named `~` is written `./~`.
pub fn with_home(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix('~') else {
        return Cow::Borrowed(path);
    };
    let (user, below) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let home = if user.is_empty() {
        // `HOME`, or else the home that the system lists.
        std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok())
    } else {
        home_of(user, &std::fs::read_to_string(USERS).unwrap_or_default())
    };
    home.filter(|home| !home.is_empty())
        .map_or(Cow::Borrowed(path), |home| Cow::Owned(joined(&home, below)))
}

/// A path with `~` or `~user` expanded as [`with_home`] does.
pub(super) fn path_with_home(path: &str) -> PathBuf {
    PathBuf::from(&*with_home(path))
}

/// A home and what follows it, with one slash between them and none after a home alone.
fn joined(home: &str, below: &str) -> String {
    let path = format!("{}{below}", home.trim_end_matches('/'));
    if path.is_empty() { "/".to_owned() } else { path }
}

/// The home of a user in a list with the fields `name:password:uid:gid:comment:home:shell`.
fn home_of(user: &str, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_user = fields.next() == Some(user);
        fields.nth(4).filter(|_| is_user).map(ToOwned::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_of_a_user_is_in_the_list() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1:1:Ann, of, it:/homes/ann:/bin/sh\nbroken\n";
        assert_eq!(home_of("ann", users).as_deref(), Some("/homes/ann"));
        for nobody in ["an", "anna", "broken", "x", ""] {
            assert_eq!(home_of(nobody, users), None, "{nobody}");
        }
    }

    #[test]
    fn a_home_ends_with_one_slash_or_none() {
        for (home, below, path) in [
            ("/homes/ann", "", "/homes/ann"),
            ("/homes/ann/", "/lake", "/homes/ann/lake"),
            ("/", "/lake", "/lake"),
            ("/", "", "/"),
        ] {
            assert_eq!(joined(home, below), path);
        }
    }

    #[test]
    fn only_the_first_part_of_a_path_may_be_a_home() {
        for path in ["", "./~", "./~/lake", "data/~", "a~", "/~", "~no such user/lake"] {
            assert_eq!(with_home(path), path);
        }
    }

    #[test]
    fn a_tilde_is_the_home() {
        let home = std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok());
        let Some(home) = home.filter(|home| !home.is_empty()) else {
            return;
        };
        assert_eq!(with_home("~/in/*.csv"), joined(&home, "/in/*.csv"));
        assert_eq!(with_home("~"), joined(&home, ""));
    }
}
