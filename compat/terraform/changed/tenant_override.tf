resource "auth0_tenant" "shop" {
  friendly_name       = "The Shop 2"
  support_email       = "support@shop.example"
  allowed_logout_urls = []
  enabled_locales     = ["de"]
  session_lifetime    = 168

  session_cookie {
    mode = "persistent"
  }

  default_token_quota {
    organizations {
      client_credentials {
        enforce  = true
        per_hour = 1000
      }
    }
  }

  flags {
    revoke_refresh_token_grant = false
  }
}
