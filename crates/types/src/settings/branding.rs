//! How pages and messages look: colors, the theme, and who sends texts to phones.

use super::{Collection, Initial, Nested, Null, Setting};
use crate::error::ErrorCode;
use crate::format::Format;
use crate::schema::{
    Schema, any, any_of, array, boolean, format, number, object, one_of, optional, required, string,
};

pub(super) static SETTINGS: &[Setting] = &[Setting {
    path: "/api/v2/branding",
    parameters: &[],
    initial: Initial::Json("{}"),
    patch: Some(branding),
    put: None,
    create: None,
    secrets: &[],
    null: Null::Resets,
    nested: Nested::Merged,
}];

fn branding() -> Schema {
    let uri = || format(Format::AbsoluteHttpsUriOrEmpty).nullable();
    let background = any_of([string().nullable(), object([]).open_with(any()).nullable()]);
    object([
        optional(
            "colors",
            object([optional("primary", string().nullable()), optional("page_background", background)])
                .min(1),
        ),
        optional("favicon_url", uri()),
        optional("font", object([optional("url", uri())]).min(1)),
        optional("logo_url", uri()),
    ])
    .min(1)
}

/// There is one theme at most.
pub(super) static THEMES: Collection = Collection {
    path: "/api/v2/branding/themes",
    item_path: "/api/v2/branding/themes/{themeId}",
    list: None,
    only: Some("/api/v2/branding/themes/default"),
    id: ("themeId", ""),
    created: 200,
    stamped: false,
    unique: None,
    conflict: "There is a theme already",
    missing: (
        "There was an error retrieving branding settings: invalid theme ID",
        Some(ErrorCode::ThemeNotFound),
    ),
    create: theme,
    change: theme,
    nested: Nested::Replaced,
    defaults: r#"{"displayName":"Unnamed Theme"}"#,
    order: &["borders", "colors", "displayName", "fonts", "page_background", "themeId", "widget"],
    secrets: &[],
    hidden: &[],
};

fn theme() -> Schema {
    const COLOR: &str = "^#(([0-9a-fA-F]{3}){1,2}|([0-9a-fA-F]{4}){1,2})$";
    let color = || string().pattern(COLOR);
    let style = || one_of(&["pill", "rounded", "sharp"]);
    let size = |most: u32| number().min(0).max(most);
    let text = || object([required("bold", boolean()), required("size", size(150))]);
    let uri = || format(Format::AbsoluteHttpsUriOrEmpty);
    let place = || one_of(&["center", "left", "right"]);
    let borders = object([
        required("button_border_radius", number().min(1).max(10)),
        required("button_border_weight", size(10)),
        required("buttons_style", style()),
        required("input_border_radius", size(10)),
        required("input_border_weight", size(3)),
        required("inputs_style", style()),
        required("show_widget_shadow", boolean()),
        required("widget_border_weight", size(10)),
        required("widget_corner_radius", size(50)),
    ]);
    let colors = object([
        optional("base_focus_color", color()),
        optional("base_hover_color", color()),
        required("body_text", color()),
        optional("captcha_widget_theme", one_of(&["auto", "dark", "light"])),
        required("error", color()),
        required("header", color()),
        required("icons", color()),
        required("input_background", color()),
        required("input_border", color()),
        required("input_filled_text", color()),
        required("input_labels_placeholders", color()),
        required("links_focused_components", color()),
        required("primary_button", color()),
        required("primary_button_label", color()),
        optional("read_only_background", color()),
        required("secondary_button_border", color()),
        required("secondary_button_label", color()),
        required("success", color()),
        required("widget_background", color()),
        required("widget_border", color()),
    ]);
    let fonts = object([
        required("body_text", text()),
        required("buttons_text", text()),
        required("font_url", uri()),
        required("input_labels", text()),
        required("links", text()),
        required("links_style", one_of(&["normal", "underlined"])),
        required("reference_text_size", number().min(12).max(24)),
        required("subtitle", text()),
        required("title", object([required("bold", boolean()), required("size", number().min(75).max(150))])),
    ]);
    let page_background = object([
        required("background_color", color()),
        required("background_image_url", uri()),
        required("page_layout", place()),
    ]);
    let widget = object([
        required("header_text_alignment", place()),
        required("logo_height", number().min(1).max(100)),
        required("logo_position", one_of(&["center", "left", "none", "right"])),
        required("logo_url", uri()),
        required("social_buttons_layout", one_of(&["bottom", "top"])),
    ]);
    // What the newer tools send; not described.
    let identifiers = object([
        required("login_display", one_of(&["separate", "unified"])),
        required("otp_autocomplete", boolean()),
        required(
            "phone_display",
            object([
                required("formatting", one_of(&["international", "regional"])),
                required("masking", one_of(&["hide_country_code", "mask_digits", "show_all"])),
            ]),
        ),
    ]);
    object([
        required("borders", borders),
        required("colors", colors),
        optional("displayName", string().max(2_048).pattern("^[^<>]*$")),
        required("fonts", fonts),
        optional("identifiers", identifiers),
        required("page_background", page_background),
        required("widget", widget),
    ])
}

pub(super) static PHONE_PROVIDERS: Collection = Collection {
    path: "/api/v2/branding/phone/providers",
    item_path: "/api/v2/branding/phone/providers/{id}",
    list: Some("providers"),
    only: None,
    id: ("id", "pro_"),
    created: 201,
    stamped: true,
    unique: Some("channel"),
    conflict: "Custom phone provider conflict",
    missing: ("Phone provider has not been configured.", None),
    create: || {
        object([
            required("name", provider_name()),
            optional("disabled", boolean()),
            optional("configuration", phone_configuration()),
            required("credentials", phone_credentials()),
        ])
    },
    change: || {
        object([
            optional("name", provider_name()),
            optional("disabled", boolean()),
            optional("credentials", phone_credentials()),
            optional("configuration", phone_configuration()),
        ])
        .min(1)
    },
    nested: Nested::Replaced,
    defaults: r#"{"channel":"phone","disabled":false}"#,
    order: &[
        "id",
        "tenant",
        "name",
        "channel",
        "disabled",
        "configuration",
        "credentials",
        "created_at",
        "updated_at",
    ],
    secrets: &[&["credentials"]],
    hidden: &["credentials"],
};

fn provider_name() -> Schema {
    one_of(&["twilio", "custom"])
}

fn phone_configuration() -> Schema {
    object([
        optional("default_from", string()),
        optional("mssid", string()),
        optional("sid", string()),
        required("delivery_methods", array(one_of(&["text", "voice"])).min(1)),
    ])
}

fn phone_credentials() -> Schema {
    object([optional("auth_token", string().min(1).max(255))])
}

pub(super) static PHONE_TEMPLATES: Collection = Collection {
    path: "/api/v2/branding/phone/templates",
    item_path: "/api/v2/branding/phone/templates/{id}",
    list: Some("templates"),
    only: None,
    id: ("id", "tem_"),
    created: 201,
    stamped: true,
    unique: Some("type"),
    conflict: "Phone template already configured for tenant",
    missing: ("Phone template does not exist", None),
    create: || {
        object([
            required(
                "type",
                one_of(&[
                    "otp_verify",
                    "otp_enroll",
                    "change_password",
                    "blocked_account",
                    "password_breach",
                ]),
            ),
            optional("disabled", boolean()),
            required("content", content().with([optional("syntax", string())])),
        ])
    },
    change: || object([optional("content", content()), optional("disabled", boolean())]),
    nested: Nested::Merged,
    defaults: r#"{"channel":"phone","disabled":false}"#,
    order: &["id", "tenant", "channel", "type", "disabled", "created_at", "updated_at", "content"],
    secrets: &[],
    hidden: &[],
};

fn content() -> Schema {
    let body = || string().min(1).max(20_000);
    object([
        optional("from", string().min(1).max(16)),
        optional("body", object([optional("text", body()), optional("voice", body())]).min(1)),
    ])
    .min(1)
}
