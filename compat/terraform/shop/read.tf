# What data sources find is what the resources made.
data "auth0_tenant" "shop" {
  depends_on = [auth0_tenant.shop]
}

data "auth0_client" "order_worker" {
  client_id  = auth0_client.order_worker.id
  depends_on = [auth0_client_credentials.order_worker]
}

data "auth0_clients" "workers" {
  app_types  = ["non_interactive"]
  depends_on = [auth0_client.order_worker, auth0_client.invoice_worker]
}

data "auth0_resource_server" "orders" {
  identifier = auth0_resource_server_scopes.orders.resource_server_identifier
}

data "auth0_connection" "customers" {
  connection_id = auth0_connection_clients.customers.connection_id
}

data "auth0_organization" "acme" {
  name = auth0_organization.acme.name
  # Members are users, and there are none.
  skip_members = true
  depends_on   = [auth0_organization_connections.acme, auth0_organization_client_grant.acme]
}

output "found" {
  value = {
    tenant       = data.auth0_tenant.shop.friendly_name
    client       = [data.auth0_client.order_worker.name, data.auth0_client.order_worker.token_endpoint_auth_method]
    secret       = data.auth0_client.order_worker.client_secret
    workers      = contains(data.auth0_clients.workers.clients[*].client_id, auth0_client.invoice_worker.id)
    scopes       = toset(data.auth0_resource_server.orders.scopes[*].name)
    connection   = toset(data.auth0_connection.customers.enabled_clients)
    organization = data.auth0_organization.acme.id
    connections  = toset(data.auth0_organization.acme.connections[*].connection_id)
    grants       = toset(data.auth0_organization.acme.client_grants)
  }
  sensitive = true
}

output "made" {
  value = {
    tenant       = auth0_tenant.shop.friendly_name
    client       = [auth0_client.order_worker.name, auth0_client_credentials.order_worker.authentication_method]
    secret       = auth0_client_credentials.order_worker.client_secret
    workers      = true
    scopes       = toset(auth0_resource_server_scopes.orders.scopes[*].name)
    connection   = toset(auth0_connection_clients.customers.enabled_clients)
    organization = auth0_organization.acme.id
    connections  = toset(auth0_organization_connections.acme.enabled_connections[*].connection_id)
    grants       = toset([auth0_organization_client_grant.acme.grant_id])
  }
  sensitive = true
}

output "order_worker" {
  value     = { id = auth0_client.order_worker.id, secret = auth0_client_credentials.order_worker.client_secret }
  sensitive = true
}

output "invoice_worker" {
  value = auth0_client_credentials.invoice_worker.client_id
}
