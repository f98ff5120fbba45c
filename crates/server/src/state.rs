//! What a server keeps on disk between its starts: secrets that only its user may read.

use crate::random;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file of the state cannot be read or written. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be {what} ({source}): give this user the right to it, or name another place")]
#[non_exhaustive]
pub struct StateError {
    /// Which file.
    pub path: PathBuf,
    /// "read" or "written".
    pub what: &'static str,
    /// Why.
    pub source: io::Error,
}

/// The secret that is kept in `directory` under this name; 128 random bits, made when it is not there. Readable by this user alone (0600).
///
/// # Errors
/// When the file is there and cannot be read, or cannot be written.
pub fn kept_secret(directory: &Path, name: &str) -> Result<String, StateError> {
    let path = directory.join(name);
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(StateError { path, what: "read", source }),
    }
    let secret = random::token().map_err(|error| StateError {
        path,
        what: "written",
        source: io::Error::other(error.to_string()),
    })?;
    write(directory, name, &format!("{secret}\n"))?;
    Ok(secret)
}

/// Writes a file that only this user may read, whole or not at all; makes the directory, for this user alone, if it is not there.
pub(crate) fn write(directory: &Path, name: &str, text: &str) -> Result<(), StateError> {
    let path = directory.join(name);
    private_directory(directory).map_err(|source| StateError {
        path: directory.into(),
        what: "written",
        source,
    })?;
    write_private(&path, text).map_err(|source| StateError { path, what: "written", source })
}

fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let _ = fs::remove_file(&unfinished);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_only() {
        let directory = std::env::temp_dir().join(format!("salon-state-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let secret = kept_secret(&directory, "moderator.key").unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(kept_secret(&directory, "moderator.key").unwrap(), secret);
        assert_ne!(kept_secret(&directory, "token.key").unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(directory.join("moderator.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // An empty file is no secret.
        fs::write(directory.join("token.key"), "\n").unwrap();
        assert_eq!(kept_secret(&directory, "token.key").unwrap().len(), 32);
        // What cannot be read is not replaced.
        fs::create_dir(directory.join("other.key")).unwrap();
        assert_eq!(kept_secret(&directory, "other.key").unwrap_err().what, "read");
        fs::remove_dir_all(&directory).unwrap();
    }
}
