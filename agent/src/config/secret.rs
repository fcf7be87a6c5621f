//! Where secrets are: files, never values in the settings. Their text is never shown.

use super::error::ConfigError;
use std::path::{Path, PathBuf};

/// Where credentials are, and where relative paths begin.
#[derive(Clone, Debug)]
pub struct Places {
    /// `$CREDENTIALS_DIRECTORY`, where a service manager puts secrets.
    pub credentials: Option<PathBuf>,
    /// The directory of the settings.
    pub base: PathBuf,
}

impl Places {
    /// As this process was started.
    pub fn of_process(base: &Path) -> Places {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Places { credentials, base: base.to_owned() }
    }

    /// The bytes of a secret: by its name among the credentials (also under the directory's name, as a service manager
    /// names the files of a whole directory), else by its path.
    pub fn read(&self, setting: &'static str, name: &Path) -> Result<Vec<u8>, ConfigError> {
        let mut places = Vec::new();
        if let (Some(credentials), false) = (&self.credentials, name.is_absolute()) {
            places.push(credentials.join(name));
            places.push(credentials.join(format!("secrets_{}", name.display())));
        }
        places.push(self.base.join(name));
        let read = places.iter().find_map(|place| std::fs::read(place).ok());
        read.ok_or_else(|| ConfigError::Secret {
            setting,
            name: name.display().to_string(),
            looked_at: places.iter().map(|place| place.display().to_string()).collect(),
        })
    }

    /// A secret of one line of text.
    pub fn read_line(&self, setting: &'static str, name: &Path) -> Result<String, ConfigError> {
        let bytes = self.read(setting, name)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
    }
}
