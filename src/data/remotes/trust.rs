//! Which remotes the user, not the clone, has named: only to these is anything sent.

use super::{RemoteSettings, RemotesError, find, personal};
use crate::data::workspace::Workspace;

/// The variable of the environment that says which places are trusted, where no clone keeps that: in CI. Each as
/// [`RemotesError::Unconfirmed`] tells it; `;` between several.
pub const TRUST: &str = "GIT_MLDATA_TRUST";

/// The options that decide where something is sent.
const PLACES: [&str; 2] = ["account", "endpoint"];

/// What is trusted of a remote: its address, and where its options lead.
pub(super) fn place_of(settings: &RemoteSettings) -> String {
    let places = PLACES.iter().filter_map(|key| Some(format!(" {key}={}", settings.options.get(*key)?)));
    places.fold(settings.url.clone(), |place, option| place + &option)
}

/// Whether the environment says that this place is trusted.
pub(super) fn is_trusted_by_environment(place: &str) -> bool {
    std::env::var(TRUST).is_ok_and(|places| places.split(';').any(|it| it.trim() == place))
}

/// Whether the user, not the clone, names the place where the remote is.
pub(super) fn is_trusted(workspace: &Workspace, settings: &RemoteSettings) -> bool {
    let own = |key: &str| personal(workspace, &settings.name, key);
    let named = |key: &&str| settings.options.get(*key).is_none_or(|value| own(key).as_ref() == Some(value));
    let place = place_of(settings);
    own("trusted").as_ref() == Some(&place)
        || is_trusted_by_environment(&place)
        || own("url").as_ref() == Some(&settings.url) && PLACES.iter().all(named)
}

/// Trusts a remote: data, and what opens it, may be sent to its address. Kept in this clone's configuration.
///
/// # Errors
///
/// [`RemotesError`] when there is no such remote.
pub fn trust(workspace: &Workspace, name: &str) -> Result<RemoteSettings, RemotesError> {
    let settings = find(workspace, Some(name))?;
    workspace.repository().write_setting(&format!("mldata.{name}.trusted"), &place_of(&settings))?;
    Ok(settings)
}
