resource "auth0_connection" "customers" {
  realms = ["Customers"]

  metadata = {
    team = "checkout"
  }

  # Options are replaced as a whole.
  options {
    password_policy        = "fair"
    brute_force_protection = false
    disable_signup         = false
    requires_username      = false
  }
}

resource "auth0_connection_clients" "customers" {
  enabled_clients = [auth0_client.phone.id, auth0_client.catalogue.id]
}

resource "auth0_connection" "staff" {
  display_name   = "All staff"
  show_as_button = false
}
