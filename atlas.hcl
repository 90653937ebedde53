# For the official Atlas command line (v1.2, community edition): the same files, the same history tables. Insula itself
# does not need it: `make new-migration` writes migrations, the binary applies them.
#
#   atlas migrate status --env control
#   atlas migrate status --env tenant_one --var tenant=t_0123…
#   atlas migrate apply  --env tenants
#   atlas migrate lint   --env tenant --latest 1

variable "url" {
  type    = string
  default = getenv("INSULA_MIGRATOR_URL") # the database with the tenants
}

variable "dev_url" {
  type    = string
  default = getenv("ATLAS_DEV_URL") # an empty database, without search_path, that Atlas may use for planning
}

variable "tenant" {
  type    = string
  default = "" # schema of one tenant, for the environment tenant_one
}

# The control schema, one per installation. Its files qualify every name, so Atlas works on the whole database;
# what is not control's is excluded, or it would be planned away.
env "control" {
  src     = "file://schema/control"
  dev     = var.dev_url
  url     = var.url
  exclude = ["atlas_control", "t_*"]
  migration {
    dir              = "file://sql/migrations/control"
    revisions_schema = "atlas_control"
  }
  lint {
    destructive {
      error = true
    }
  }
  diff {
    skip {
      drop_schema = true
    }
  }
}

# Tenant schemas in general: planning, linting, validation. No database with data.
env "tenant" {
  src = "file://schema/tenant"
  dev = urlqueryset(var.dev_url, "search_path", "public")
  migration {
    dir = "file://sql/migrations/tenant"
  }
  lint {
    destructive {
      error = true
    }
  }
}

# One tenant: status, and drift by `atlas schema diff`.
env "tenant_one" {
  src     = "file://schema/tenant"
  dev     = urlqueryset(var.dev_url, "search_path", "public")
  url     = urlqueryset(var.url, "search_path", var.tenant)
  exclude = ["atlas_schema_revisions"]
  migration {
    dir              = "file://sql/migrations/tenant"
    revisions_schema = var.tenant
  }
}

data "sql" "tenants" {
  url   = var.url
  query = "SELECT schema_name FROM control.tenants WHERE status IN ('active', 'suspended') ORDER BY 1"
}

# Every tenant, one after the other. Only `atlas migrate apply` understands an environment that is many.
env "tenants" {
  for_each = toset(data.sql.tenants.values)
  src      = "file://schema/tenant"
  dev      = urlqueryset(var.dev_url, "search_path", "public")
  url      = urlqueryset(var.url, "search_path", each.value)
  exclude  = ["atlas_schema_revisions"]
  migration {
    dir              = "file://sql/migrations/tenant"
    revisions_schema = each.value
  }
}
