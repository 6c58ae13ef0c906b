import json
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.labs.services import add_member
from webapp.labs.tokens import issue_token

# In the place of a password, for programs too.
UNCHANGED = gettext_noop("(unchanged: this person has an account already)")


class Command(BaseCommand):
    help = _("Make a lab with its first members, and print their passwords and API tokens, this once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--member",
            action="append",
            default=[],
            metavar="EMAIL:ROLE",
            help=_("may be given again; roles: %(roles)s") % {"roles": ", ".join(Role.values)},
        )
        parser.add_argument("--json", action="store_true", help=_("print JSON for programs"))

    @transaction.atomic
    def handle(self, *args: Any, name: str, member: list[str], **options: Any) -> None:
        try:
            name = Lab._meta.get_field("name").clean(name, None)
        except ValidationError as error:
            raise CommandError(
                _("%(name)r is no name for a lab: %(messages)s")
                % {"name": name, "messages": " ".join(error.messages)}
            ) from error
        if Lab.objects.filter(name=name).exists():
            raise CommandError(
                _("There is a lab named %(name)r already. Choose another name.") % {"name": name}
            )
        lab = Lab.objects.create(name=name)
        record(Action.LAB_CREATED, lab=lab.id, subject=lab.name)
        people = [self._add(lab, *entry.rpartition(":")[::2]) for entry in member]
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(lab.id), "name": lab.name, "members": people}))
            return
        self.stdout.write(_("Lab %(name)s (%(id)s)") % {"name": lab.name, "id": lab.id})
        for person in people:
            password = _(UNCHANGED) if person["password"] == UNCHANGED else person["password"]
            line = _("%(email)s  %(role)s  password %(password)s  token %(token)s")
            self.stdout.write("  " + line % {**person, "password": password})

    @staticmethod
    def _add(lab: Lab, email: str, role: str) -> dict[str, str]:
        try:
            validate_email(email)
        except ValidationError:
            role = ""
        if role not in Role.values:
            raise CommandError(
                _("%(email)r:%(role)s is not EMAIL:ROLE; roles are %(roles)s.")
                % {"email": email, "role": role, "roles": ", ".join(Role.values)}
            )
        password = secrets.token_urlsafe(12)
        local = email.partition("@")[0].replace(".", " ").replace("_", " ")
        membership = add_member(lab, email=email, name=local.capitalize(), role=Role(role), password=password)
        if not membership.user.check_password(password):
            password = UNCHANGED
        token = issue_token(membership, _("made with the lab"))[1]
        return {"email": email, "role": role, "password": password, "token": token}
