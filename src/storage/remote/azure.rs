//! As whom a container of Azure Blob Storage is used.
//!
//! The sources, first wins: `AZURE_STORAGE_KEY` with the account of `AZURE_STORAGE_ACCOUNT` or the option `account` (the
//! key signs and is never sent); `AZURE_STORAGE_SAS_TOKEN`; an application of Microsoft Entra by `AZURE_CLIENT_ID` with
//! `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE`; the role of an Azure machine. The last three send what opens the
//! account, so they are kept back from an account that the user's own configuration does not name. Where none is at hand
//! requests go out unsigned, so that public containers work.
//!
//! Sources: "Azure Storage: authorize with the Azure CLI" and "EnvironmentCredential" of Microsoft's documentation.

use super::access::Access;
use super::identity::{Identity, Variable, firmware_says, variable_of_process};
use super::options::RemoteOptions;

/// The chassis of every machine of Azure says so.
const AZURE_CHASSIS: &str = "7783-7084-3265-9085-8269-3286-77";

/// What decides as whom a container is used, and where it is.
pub(super) struct AzureSettings {
    variable: Variable,
}

impl AzureSettings {
    /// The settings of this process.
    pub fn of_process() -> Self {
        Self { variable: variable_of_process() }
    }

    /// The storage account.
    pub fn account(&self, options: &RemoteOptions) -> Option<String> {
        options.account.clone().or_else(|| (self.variable)("AZURE_STORAGE_ACCOUNT"))
    }

    /// The address of the service.
    pub fn endpoint(&self, options: &RemoteOptions) -> Option<String> {
        let usual = || Some(format!("https://{}.blob.core.windows.net", self.account(options)?));
        options.endpoint.clone().or_else(usual)
    }

    /// A secret of the environment, for the library that signs with it.
    pub fn secret(&self, name: &str) -> String {
        (self.variable)(name).unwrap_or_default()
    }

    /// As whom requests will be signed.
    pub fn identity(&self, options: &RemoteOptions, access: &Access) -> Identity {
        let set = |name: &str| (self.variable)(name);
        let account = self.account(options).unwrap_or_default();
        if options.anonymous {
            return Identity::Anonymous;
        }
        if set("AZURE_STORAGE_KEY").is_some() {
            return Identity::AccountKey { account };
        }
        let own = options.endpoint.is_none() && set("AZURE_STORAGE_ACCOUNT").as_ref() == Some(&account);
        let sent = |identity, what: &str| match own || access.trusted {
            true => identity,
            false => Identity::Withheld { what: what.to_owned() },
        };
        if set("AZURE_STORAGE_SAS_TOKEN").is_some() {
            return sent(Identity::Signature { account }, "the shared access signature");
        }
        let proof = set("AZURE_CLIENT_SECRET").or_else(|| set("AZURE_FEDERATED_TOKEN_FILE"));
        if let (Some(id), Some(_)) = (set("AZURE_CLIENT_ID"), proof) {
            return sent(Identity::Application { id }, "the token of the application");
        }
        match firmware_says("chassis_asset_tag", AZURE_CHASSIS) {
            true => sent(Identity::Machine, "the token of this machine"),
            false => Identity::Anonymous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&'static str, &'static str)], account: &str, trusted: bool) -> String {
        let variables = variables.to_vec();
        let get = move |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let settings = AzureSettings { variable: Box::new(get) };
        let options = RemoteOptions { account: Some(account.into()), ..RemoteOptions::default() };
        let access = Access { trusted, ..Access::default() };
        settings.identity(&options, &access).to_string()
    }

    #[test]
    fn what_is_sent_as_it_is_goes_only_to_the_users_own_account() {
        let key = ("AZURE_STORAGE_KEY", "hunter2");
        let signature = ("AZURE_STORAGE_SAS_TOKEN", "hunter2");
        assert_eq!(told(&[key, signature], "evil", false), "storage account evil, by its key");
        assert_eq!(told(&[signature], "evil", false), "anonymous (the shared access signature is kept back)");
        assert_eq!(told(&[signature], "acme", true), "storage account acme, by a shared access signature");
        let own = ("AZURE_STORAGE_ACCOUNT", "acme");
        assert_eq!(
            told(&[signature, own], "acme", false),
            "storage account acme, by a shared access signature"
        );
        assert!(told(&[signature, own], "evil", false).starts_with("anonymous"));
        let application = [("AZURE_CLIENT_ID", "1-2"), ("AZURE_CLIENT_SECRET", "hunter2"), own];
        assert_eq!(told(&application, "acme", false), "application 1-2");
        assert_eq!(told(&[], "acme", true), "anonymous");
    }
}
