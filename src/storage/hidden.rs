//! Folders that globs pass over: those whose names begin with `.` or `_`.

/// Whether a path lies in a hidden folder (`.name`, `_name`) that its glob does not name: `_day-*/` names one, `*/`
/// does not.
pub(super) fn is_below_hidden(pattern: &str, path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| {
        let hidden = folder.starts_with(['.', '_']) && !matches!(folder, "." | "..");
        let asks = |part: &str| {
            part.starts_with(&folder[..1]) && glob::Pattern::new(part).is_ok_and(|part| part.matches(folder))
        };
        hidden && !pattern.split('/').any(asks)
    })
}
