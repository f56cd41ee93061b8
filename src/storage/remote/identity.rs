//! As whom a remote is used, in words that may be shown.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How a variable of the environment is read; empty ones count as unset.
pub(super) type Variable = Box<dyn Fn(&str) -> Option<String>>;

/// The environment of this process.
pub(super) fn variable_of_process() -> Variable {
    Box::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Whether the firmware calls this machine so: asking the metadata service of a cloud elsewhere costs seconds.
pub(super) fn firmware_says(field: &str, words: &str) -> bool {
    let told = fs::read_to_string(Path::new("/sys/class/dmi/id").join(field));
    told.is_ok_and(|told| told.trim() == words)
}

/// As whom a remote is used. Holds no secret, so it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The owner of a folder.
    Folder {
        /// Name of the user that the folder belongs to, or its number.
        owner: String,
    },
    /// An access key out of the environment.
    AccessKey {
        /// Its id, which is no secret.
        id: String,
    },
    /// A profile of the AWS configuration.
    Profile {
        /// Its name.
        name: String,
        /// The id of its access key; none for single sign-on and the like.
        key: Option<String>,
    },
    /// A role that a web identity token stands for.
    Role {
        /// The ARN.
        arn: String,
    },
    /// The key of a storage account of Azure.
    AccountKey {
        /// The account.
        account: String,
    },
    /// A shared access signature for a storage account of Azure.
    Signature {
        /// The account.
        account: String,
    },
    /// An application that Microsoft Entra knows.
    Application {
        /// Its client id.
        id: String,
    },
    /// A service account of Google.
    ServiceAccount {
        /// Its address.
        email: String,
    },
    /// Whoever signed in with `gcloud auth application-default login`.
    Gcloud,
    /// A user with a password out of Git's credential helpers.
    Login {
        /// The name.
        user: String,
    },
    /// Whoever `ssh` is there.
    Ssh {
        /// The name, where it is not left to the configuration of `ssh`.
        user: Option<String>,
    },
    /// The role of the container that this runs in.
    Container,
    /// The role of the machine in a cloud that this runs on.
    Machine,
    /// Nobody, although there are credentials: they would be sent as they are to a place that comes with the clone.
    Withheld {
        /// What is kept back.
        what: String,
    },
    /// Nobody: requests are not signed.
    Anonymous,
    /// The process itself: a remote in memory.
    Process,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { owner } => write!(f, "folder of {owner}"),
            Self::AccessKey { id } => write!(f, "access key {id}"),
            Self::Profile { name, key: Some(id) } => write!(f, "profile {name}, access key {id}"),
            Self::Profile { name, key: None } => write!(f, "profile {name}"),
            Self::Role { arn } => write!(f, "role {arn}"),
            Self::AccountKey { account } => write!(f, "storage account {account}, by its key"),
            Self::Signature { account } => {
                write!(f, "storage account {account}, by a shared access signature")
            }
            Self::Application { id } => write!(f, "application {id}"),
            Self::ServiceAccount { email } => write!(f, "service account {email}"),
            Self::Gcloud => f.write_str("application default credentials of gcloud"),
            Self::Login { user } => write!(f, "user {user}"),
            Self::Ssh { user: Some(user) } => write!(f, "user {user}, by ssh"),
            Self::Ssh { user: None } => f.write_str("whoever ssh is there"),
            Self::Container => f.write_str("role of this container"),
            Self::Machine => f.write_str("role of this machine"),
            Self::Withheld { what } => write!(f, "anonymous ({what} is kept back)"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Process => f.write_str("this process"),
        }
    }
}

impl Identity {
    /// Whose `folder` it is.
    pub(super) fn of_folder(folder: &Path) -> Self {
        let Ok(metadata) = fs::metadata(folder) else { return Self::Folder { owner: "nobody".into() } };
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let number = metadata.uid().to_string();
        let named = users.lines().find(|line| line.split(':').nth(2) == Some(&number));
        let name = named.and_then(|line| line.split(':').next()).map(str::to_owned);
        Self::Folder { owner: name.unwrap_or_else(|| format!("user {number}")) }
    }
}
