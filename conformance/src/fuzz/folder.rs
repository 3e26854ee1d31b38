//! Scripts on disk: those that showed something new, and in `found/` those that show a finding.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use turncoat::revision::{Revisions, Side};
use turncoat::script::{Script, file};

/// Where findings are kept.
const FOUND: &str = "found";
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// A folder of scripts.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A script of the folder.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The script.
    pub script: Script,
    /// It shows a finding, and was shrunk.
    pub is_finding: bool,
}

impl Folder {
    /// Opens a folder; makes it if it is not there.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path.join(FOUND))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The scripts that play this side in one of these revisions, findings first. Files that are no scripts, or of another
    /// version's format, are left alone.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn scripts(&self, side: Side, revisions: Revisions) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for (folder, is_finding) in [(self.path.join(FOUND), true), (self.path.clone(), false)] {
            let mut files: Vec<PathBuf> =
                fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
            files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
            files.sort();
            for path in files {
                let fits = |script: &Script| script.side == side && !script.revisions.and(revisions).is_empty();
                if let Some(script) = read(&path).filter(fits) {
                    kept.push(Kept { script, is_finding });
                }
            }
        }
        Ok(kept)
    }

    /// Keeps a script that showed something new, and gives the file. A full disk does not end the run.
    pub(super) fn keep(&self, script: &Script) -> PathBuf {
        let text = file::write(script).unwrap_or_default();
        let path = self.path.join(format!("{}.toml", hash(&text)));
        let _ = fs::write(&path, text);
        path
    }

    /// Keeps a script that shows a finding under a name of its own, and gives the file. The same finding has the same name.
    pub(super) fn keep_finding(&self, script: &mut Script) -> PathBuf {
        let rule = script.provokes.first().map_or("finding", String::as_str);
        let text = file::write(script).unwrap_or_default();
        script.name = format!("{rule}-{}", &hash(&text)[..8]);
        let path = self.path.join(FOUND).join(format!("{}.toml", script.name));
        let _ = fs::write(&path, text);
        path
    }
}

/// The script in a file, if it is one.
fn read(path: &Path) -> Option<Script> {
    if fs::metadata(path).ok()?.len() > LONGEST {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let name = path.file_stem()?.to_string_lossy();
    file::read(&path.display().to_string(), &name, &text).ok()
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
