from typing import Any

from rest_framework import serializers

from webapp.api.fields import WrittenField
from webapp.labs.models import ApiToken
from webapp.labs.permissions import IN_USE, Role
from webapp.labs.tokens import network


class NetworkField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        try:
            return network(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        default="",
        help_text="Of the authenticator app, or a recovery code; where one is needed.",
    )
    lab = serializers.UUIDField(required=False, help_text="Needed where the person belongs to several labs.")
    # untranslated: it is kept as a name
    name = WrittenField(max_length=100, default="command line")
    scopes = serializers.ListField(
        child=serializers.ChoiceField([(one.value, one.label) for one in IN_USE]),
        required=False,
        help_text="What the token may do at most; without it: whatever its owner may.",
    )
    days = serializers.IntegerField(
        min_value=1,
        max_value=36_500,
        required=False,
        help_text="Until it expires, at most what the server allows.",
    )
    networks = serializers.ListField(
        child=NetworkField(max_length=43),
        default=list,
        max_length=20,
        help_text="Where it may be used from, in CIDR notation; without any: anywhere.",
    )


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    owner = serializers.EmailField(source="membership.user.email")

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "name",
            "prefix",
            "owner",
            "scopes",
            "networks",
            "created_at",
            "expires_at",
            "last_used_at",
        )


class NewTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(source="secret", help_text="The secret. It cannot be had again.")
    id = serializers.IntegerField(source="token.id")
    lab = serializers.CharField(source="token.membership.lab.name")
    role = serializers.ChoiceField(Role.choices, source="token.membership.role")
    expires_at = serializers.DateTimeField(source="token.expires_at")
