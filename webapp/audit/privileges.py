"""What the product may do in its own database: read and write rows, and to the audit trail and to what people
decided and signed only add.

Two roles use the database. The owner (`DATABASE_OWNER_URL`) makes and changes tables: it runs `migrate` and
`restore`. The product's own role (`DATABASE_URL`: web, workers, relay and what schedules and watches them)
owns nothing, so that whoever gets hold of it can neither lift the triggers of the audit trail, of
decisions and of results nor change an entry of the one, or one of the others.
"""

import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from django.utils.translation import gettext as _
from psycopg.sql import SQL, Identifier

# What it may do with rows of these, where that is less: it deletes none and changes none, but to seal words
# anew.
_LIMITED = {
    "audit_entry": "SELECT, INSERT",
    "cases_setaside": "SELECT, INSERT, UPDATE (reason)",
    "review_decision": "SELECT, INSERT, UPDATE (words)",
    "review_gesture": "SELECT, INSERT",
    "review_remark": "SELECT, INSERT, UPDATE (words)",
    "review_ruleanswer": "SELECT, INSERT",
    "review_agreement": "SELECT, INSERT",
    "review_cellstate": "SELECT",  # a trigger writes it
    "results_result": "SELECT, INSERT, UPDATE (document, status)",
    "results_signature": "SELECT, INSERT",
    "results_callentry": "SELECT, INSERT, UPDATE (whom, contact)",
    "results_step": "SELECT, INSERT, UPDATE (reason)",
    "django_migrations": "SELECT",
}
_PRIVILEGES = """
    REVOKE ALL ON DATABASE {database} FROM {role};
    REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;
    GRANT CONNECT ON DATABASE {database} TO {role};
    REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role};
"""
_LESS = "REVOKE ALL ON {table} FROM {role}; GRANT {rights} ON {table} TO {role};"
# What would let a role take more than it is given, by inheritance or by an attribute.
_MORE = """
    SELECT rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls
        OR pg_has_role(rolname, current_user, 'MEMBER')
    FROM pg_roles WHERE rolname = %s
"""


def grant(using: str = "default", **__: Any) -> None:
    """Give the product's role its rights on every table, after each `migrate`; in one transaction.

    Raises:
        CommandError: there is no such role, or it may do more than it should whatever is granted.
    """
    connection = connections[using]
    role = settings.DATABASE_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone() == (role,):
            print(  # noqa: T201
                _(
                    "The product uses the database as %(role)s, which owns the tables and so could change "
                    "the audit trail. Give it a role of its own: “Two roles” in docs/operations.md."
                )
                % {"role": role},
                file=sys.stderr,
            )
            return
        cursor.execute(_MORE, [role])
        found = cursor.fetchone()
        if found is None:
            text = _("The database has no role %(role)s: see “Two roles” in docs/operations.md.")
            raise CommandError(text % {"role": role})
        if found[0]:
            text = _(
                "The role %(role)s is a superuser, may make roles, or is a member of the owner: see “Two "
                "roles” in docs/operations.md."
            )
            raise CommandError(text % {"role": role})
        names = {"role": Identifier(role), "database": Identifier(connection.settings_dict["NAME"])}
        statements = [SQL(_PRIVILEGES).format(**names)]
        there = connection.introspection.table_names(cursor)
        for table, rights in _LIMITED.items():
            if table in there:
                named = {"table": Identifier(table), "role": Identifier(role), "rights": SQL(rights)}
                statements.append(SQL(_LESS).format(**named))
        cursor.execute(SQL("").join(statements))
