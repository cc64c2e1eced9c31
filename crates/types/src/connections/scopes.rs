//! `options.scope`: what is asked of the identity provider follows from switches among the options, in their order.

use crate::Object;
use serde_json::Value;

/// A switch and the scope that it stands for.
pub(super) type Scopes = &'static [(&'static str, &'static str)];

/// How the scope follows from the switches.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScopeRule {
    /// Not at all; it stays as it was sent.
    None,
    /// A list: some scopes always, then one per switch that is on.
    Listed(&'static [&'static str], Scopes),
    /// A text: the names of all switches that are on, with commas.
    Joined,
    /// A list whose words depend on the version of the provider's API.
    LinkedIn,
}

pub(super) const PROFILE: Scopes = &[("profile", "profile")];

pub(super) const EMAIL_AND_PROFILE: Scopes = &[("email", "email"), ("profile", "profile")];

pub(super) const GITHUB: Scopes = &[
    ("admin_org", "admin:org"),
    ("admin_public_key", "admin:public_key"),
    ("admin_repo_hook", "admin:repo_hook"),
    ("delete_repo", "delete_repo"),
    ("email", "user:email"),
    ("follow", "user:follow"),
    ("gist", "gist"),
    ("notifications", "notifications"),
    ("public_repo", "public_repo"),
    ("read_org", "read:org"),
    ("read_public_key", "read:public_key"),
    ("read_repo_hook", "read:repo_hook"),
    ("read_user", "read:user"),
    ("repo", "repo"),
    ("repo_deployment", "repo_deployment"),
    ("repo_status", "repo:status"),
    ("write_org", "write:org"),
    ("write_public_key", "write:public_key"),
    ("write_repo_hook", "write:repo_hook"),
];

pub(super) const GOOGLE: Scopes = &[
    ("adsense_management", "https://www.googleapis.com/auth/adsense"),
    ("analytics", "https://www.googleapis.com/auth/analytics"),
    ("blogger", "https://www.googleapis.com/auth/blogger"),
    ("calendar", "https://www.googleapis.com/auth/calendar"),
    ("calendar_addons_execute", "https://www.googleapis.com/auth/calendar.addons.execute"),
    ("calendar_events", "https://www.googleapis.com/auth/calendar.events"),
    ("calendar_events_readonly", "https://www.googleapis.com/auth/calendar.events.readonly"),
    ("calendar_settings_readonly", "https://www.googleapis.com/auth/calendar.settings.readonly"),
    ("chrome_web_store", "https://www.googleapis.com/auth/chromewebstore.readonly"),
    ("contacts", "https://www.google.com/m8/feeds"),
    ("contacts_new", "https://www.googleapis.com/auth/contacts"),
    ("contacts_other_readonly", "https://www.googleapis.com/auth/contacts.other.readonly"),
    ("contacts_readonly", "https://www.googleapis.com/auth/contacts.readonly"),
    ("content_api_for_shopping", "https://www.googleapis.com/auth/structuredcontent"),
    ("coordinate", "https://www.googleapis.com/auth/coordinate"),
    ("coordinate_readonly", "https://www.googleapis.com/auth/coordinate.readonly"),
    ("directory_readonly", "https://www.googleapis.com/auth/directory.readonly"),
    ("document_list", "https://docs.google.com/feeds"),
    ("drive", "https://www.googleapis.com/auth/drive"),
    ("drive_activity", "https://www.googleapis.com/auth/drive.activity"),
    ("drive_activity_readonly", "https://www.googleapis.com/auth/drive.activity.readonly"),
    ("drive_appdata", "https://www.googleapis.com/auth/drive.appdata"),
    ("drive_apps_readonly", "https://www.googleapis.com/auth/drive.apps.readonly"),
    ("drive_file", "https://www.googleapis.com/auth/drive.file"),
    ("drive_metadata", "https://www.googleapis.com/auth/drive.metadata"),
    ("drive_metadata_readonly", "https://www.googleapis.com/auth/drive.metadata.readonly"),
    ("drive_photos_readonly", "https://www.googleapis.com/auth/drive.photos.readonly"),
    ("drive_readonly", "https://www.googleapis.com/auth/drive.readonly"),
    ("drive_scripts", "https://www.googleapis.com/auth/drive.scripts"),
    ("email", "email"),
    ("gmail", "https://mail.google.com/mail/feed/atom"),
    ("gmail_compose", "https://www.googleapis.com/auth/gmail.compose"),
    ("gmail_insert", "https://www.googleapis.com/auth/gmail.insert"),
    ("gmail_labels", "https://www.googleapis.com/auth/gmail.labels"),
    ("gmail_metadata", "https://www.googleapis.com/auth/gmail.metadata"),
    ("gmail_modify", "https://www.googleapis.com/auth/gmail.modify"),
    ("gmail_new", "https://mail.google.com/"),
    ("gmail_readonly", "https://www.googleapis.com/auth/gmail.readonly"),
    ("gmail_send", "https://www.googleapis.com/auth/gmail.send"),
    ("gmail_settings_basic", "https://www.googleapis.com/auth/gmail.settings.basic"),
    ("gmail_settings_sharing", "https://www.googleapis.com/auth/gmail.settings.sharing"),
    ("google_affiliate_network", "https://www.googleapis.com/auth/gan"),
    ("google_books", "https://www.googleapis.com/auth/books"),
    ("google_cloud_storage", "https://www.googleapis.com/auth/devstorage.read_write"),
    ("google_drive", "https://www.googleapis.com/auth/drive"),
    ("google_drive_files", "https://www.googleapis.com/auth/drive.file"),
    ("google_plus", "https://www.googleapis.com/auth/plus.login"),
    ("latitude_best", "https://www.googleapis.com/auth/latitude.all.best"),
    ("latitude_city", "https://www.googleapis.com/auth/latitude.all.city"),
    ("moderator", "https://www.googleapis.com/auth/moderator"),
    ("offline_access", "offline_access"),
    ("orkut", "https://www.googleapis.com/auth/orkut"),
    ("picasa_web", "https://picasaweb.google.com/data"),
    ("profile", "profile"),
    ("sites", "https://sites.google.com/feeds"),
    ("tasks", "https://www.googleapis.com/auth/tasks"),
    ("tasks_readonly", "https://www.googleapis.com/auth/tasks.readonly"),
    ("url_shortener", "https://www.googleapis.com/auth/urlshortener"),
    ("webmaster_tools", "https://www.google.com/webmasters/tools/feeds"),
    ("youtube", "https://gdata.youtube.com"),
    (
        "youtube_channelmemberships_creator",
        "https://www.googleapis.com/auth/youtube.channel-memberships.creator",
    ),
    ("youtube_new", "https://www.googleapis.com/auth/youtube"),
    ("youtube_readonly", "https://www.googleapis.com/auth/youtube.readonly"),
    ("youtube_upload", "https://www.googleapis.com/auth/youtube.upload"),
    ("youtubepartner", "https://www.googleapis.com/auth/youtubepartner"),
];

/// Microsoft Graph. `signin` stands for no scope of its own.
pub(super) const MICROSOFT: Scopes = &[
    ("offline_access", "offline_access"),
    ("graph_calendars", "https://graph.microsoft.com/calendars.read"),
    ("graph_calendars_update", "https://graph.microsoft.com/calendars.readwrite"),
    ("graph_contacts", "https://graph.microsoft.com/contacts.read"),
    ("graph_contacts_update", "https://graph.microsoft.com/contacts.readwrite"),
    ("graph_device", "https://graph.microsoft.com/device.read"),
    ("graph_device_command", "https://graph.microsoft.com/device.command"),
    ("graph_emails", "https://graph.microsoft.com/mail.read"),
    ("graph_emails_update", "https://graph.microsoft.com/mail.readwrite"),
    ("graph_files", "https://graph.microsoft.com/files.read"),
    ("graph_files_all", "https://graph.microsoft.com/files.read.all"),
    ("graph_files_all_update", "https://graph.microsoft.com/files.readwrite.all"),
    ("graph_files_update", "https://graph.microsoft.com/files.readwrite"),
    ("graph_notes", "https://graph.microsoft.com/notes.read"),
    ("graph_notes_create", "https://graph.microsoft.com/notes.create"),
    ("graph_notes_update", "https://graph.microsoft.com/notes.readwrite"),
    ("graph_tasks", "https://graph.microsoft.com/tasks.read"),
    ("graph_tasks_update", "https://graph.microsoft.com/tasks.readwrite"),
    ("graph_user", "https://graph.microsoft.com/user.read"),
    ("graph_user_activity", "https://graph.microsoft.com/useractivity.readwrite.createdbyapp"),
    ("graph_user_update", "https://graph.microsoft.com/user.readwrite"),
];

/// Versions of `LinkedIn`'s API: the first called the profile `r_basicprofile`, the second has a lite one, the third is
/// `OpenID` Connect.
fn linkedin(options: &Object) -> Scopes {
    match options.get("strategy_version").and_then(Value::as_i64) {
        Some(3) => &[("openid", "openid"), ("profile", "profile"), ("email", "email")],
        Some(2) => &[
            ("email", "r_emailaddress"),
            ("profile", "r_liteprofile"),
            ("basic_profile", "r_basicprofile"),
            ("full_profile", "r_fullprofile"),
            ("network", "r_network"),
        ],
        _ => &[
            ("email", "r_emailaddress"),
            ("profile", "r_basicprofile"),
            ("basic_profile", "r_basicprofile"),
            ("full_profile", "r_fullprofile"),
            ("network", "r_network"),
        ],
    }
}

impl ScopeRule {
    /// Sets `options.scope`.
    pub(super) fn apply(self, options: &mut Object) {
        let scope = match self {
            Self::None => return,
            Self::Listed(always, scopes) => listed(always, scopes, options),
            Self::LinkedIn => listed(&[], linkedin(options), options),
            Self::Joined => {
                let names: Vec<_> = switched_on(options).collect();
                Value::from(names.join(","))
            }
        };
        options.insert("scope".into(), scope);
    }
}

fn switched_on(options: &Object) -> impl Iterator<Item = &str> {
    options.iter().filter(|(_, value)| **value == Value::Bool(true)).map(|(name, _)| name.as_str())
}

fn listed(always: &[&str], scopes: Scopes, options: &Object) -> Value {
    let mut list: Vec<&str> = always.to_vec();
    for name in switched_on(options) {
        let scope = scopes.iter().find(|(switch, _)| *switch == name).map(|(_, scope)| *scope);
        if let Some(scope) = scope.filter(|scope| !list.contains(scope)) {
            list.push(scope);
        }
    }
    // Scopes without a switch, as the caller wants them.
    let freeform = options.get("freeform_scopes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for scope in freeform.iter().filter_map(Value::as_str) {
        if !list.contains(&scope) {
            list.push(scope);
        }
    }
    Value::from(list)
}
