resource "auth0_tenant" "shop" {
  friendly_name           = "The Shop"
  picture_url             = "https://www.shop.example/logo.png"
  support_email           = "help@shop.example"
  support_url             = "https://www.shop.example/help"
  default_redirection_uri = "https://www.shop.example/"
  allowed_logout_urls     = ["https://www.shop.example/bye"]
  enabled_locales         = ["en", "de"]
  session_lifetime        = 72
  idle_session_lifetime   = 24

  session_cookie {
    mode = "non-persistent"
  }

  sessions {
    oidc_logout_prompt_enabled = false
  }

  oidc_logout {
    rp_logout_end_session_endpoint_discovery = true
  }

  error_page {
    show_log_link = false
    url           = "https://www.shop.example/error"
  }

  default_token_quota {
    clients {
      client_credentials {
        enforce = false
        per_day = 10000
      }
    }
  }

  flags {
    enable_client_connections  = false
    revoke_refresh_token_grant = true
  }
}
