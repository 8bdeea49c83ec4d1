"""The SQL that a superuser runs once per cluster and database, safe to run again at every start."""

from collections.abc import Mapping

SUPERUSER = "postgres"
OWNER = "portal_owner"
APP = "portal_app"
RELAY = "portal_relay"
SEARCH = "portal_search"
LOGIN_ROLES = (OWNER, APP, RELAY)
EXTENSIONS = ("pg_trgm", "unaccent", "citext", "btree_gist")


def _ensure_role(name: str, attributes: str) -> str:
    return (
        f"SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')\\gexec\n"
        f"ALTER ROLE {name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS {attributes};\n"
    )


def roles_script(passwords: Mapping[str, str]) -> str:
    """The four roles. None of them passes row-level security by; the owner may hand functions to the search role."""
    script = "".join(_ensure_role(name, f"LOGIN PASSWORD '{passwords[name]}'") for name in LOGIN_ROLES)
    return script + _ensure_role(SEARCH, "NOLOGIN") + f"GRANT {SEARCH} TO {OWNER};\n"


def database_script(name: str) -> str:
    """The database, owned by the owner of the tables and closed to every role but ours."""
    return (
        f"SELECT 'CREATE DATABASE {name} OWNER {OWNER}' "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')\\gexec\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"
        f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {APP}, {RELAY};\n"
    )


def extensions_script() -> str:
    """The extensions the migrations count on."""
    return "".join(f"CREATE EXTENSION IF NOT EXISTS {name};\n" for name in EXTENSIONS)
