"""Remarks, rules that fired, the second reader, and how far both readings agree."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import User
from webapp.api.fields import LARGEST_ID, WrittenField
from webapp.api.permissions import Needs, membership_of
from webapp.cases.disclosure import open_case
from webapp.hematology.classes import BY_CODE
from webapp.hematology.remarks import SUBJECTS, TERMS, WORDS, InvalidRemark
from webapp.labs.authorization import may
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.results import rules
from webapp.results.settlement import confirm, settle
from webapp.review import disclosure, remark_services, remarks, second_readers, selectors, settlement
from webapp.review.agreement import disagreements, seen_agreements
from webapp.review.models import Agreement, Disagreement, RuleAnswer, SecondReader
from webapp.review.permissions import may_decide
from webapp.review.remark_services import WORDS_LENGTH
from webapp.review.services import CELLS_AT_ONCE, ClassNotUsed, UnknownClass
from webapp.rules.selectors import current


class RemarkSerializer(serializers.Serializer[Any]):
    subject = serializers.ChoiceField([(code, name) for code, name in SUBJECTS.items()])
    term = serializers.ChoiceField([*TERMS, WORDS], help_text="`words`: free words on the subject.")
    grade = serializers.ChoiceField(
        ["1+", "2+", "3+"], required=False, allow_blank=True, help_text="Where the term has grades."
    )
    words = WrittenField(
        max_length=WORDS_LENGTH,
        required=False,
        allow_blank=True,
        help_text="Shown to who may see identifiers.",
    )
    is_taken_back = serializers.BooleanField(required=False, default=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["term"] == WORDS and not given.get("words") and not given["is_taken_back"]:
            raise serializers.ValidationError({"words": [_("Write what you remark.")]})
        return given


class RemarkSaidSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    term = serializers.CharField()
    name = serializers.CharField(help_text="Of the term; empty for free words.")
    grade = serializers.CharField()
    words = serializers.CharField(allow_null=True)
    by = serializers.CharField()
    at = serializers.DateTimeField()
    is_taken_back = serializers.BooleanField()


class RemarksQuerySerializer(serializers.Serializer[Any]):
    history = serializers.BooleanField(
        required=False, default=False, help_text="All that was ever remarked or taken back, the last first."
    )


class Remarks(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.DECIDE}
    serializer_class = RemarkSerializer
    pagination_class = None

    @extend_schema(
        operation_id="remarks_list",
        parameters=[RemarksQuerySerializer],
        responses=RemarkSaidSerializer(many=True),
    )
    def get(self, request: Request, reading_id: int) -> Response:
        """What people remarked on red cells, white cells and platelets in this reading."""
        asked = RemarksQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        member = membership_of(request)
        reading = disclosure.shown(reading_id, member.user)
        which = remarks.history if asked.validated_data["history"] else remarks.standing
        return Response(RemarkSaidSerializer(which(reading, texts=_texts(member)), many=True).data)

    @extend_schema(operation_id="remark", responses=RemarkSaidSerializer(many=True))
    def post(self, request: Request, reading_id: int) -> Response:
        """Remark something, in the place of what was remarked of the term before, or take it back."""
        member = membership_of(request)
        reading = disclosure.shown(reading_id, member.user)
        asked = RemarkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not may_decide(member, reading):
            raise exceptions.PermissionDenied
        given = asked.validated_data
        which = {"subject": given["subject"], "term": given["term"], "by": member.user}
        try:
            if given["is_taken_back"]:
                remark_services.take_back(reading, **which)
            else:
                grade, words = given.get("grade", ""), given.get("words", "")
                remark_services.make_remark(reading, grade=grade, words=words, **which)
        except InvalidRemark as error:
            raise exceptions.ValidationError(
                {"term": [_("There is no such term of this subject, or it has no such grade.")]}
            ) from error
        standing = remarks.standing(reading, texts=_texts(member))
        return Response(RemarkSaidSerializer(standing, many=True).data)


class FiredSerializer(serializers.Serializer[Any]):
    rule = serializers.UUIDField(source="rule.id")
    name = serializers.CharField(source="rule.name")
    sentence = serializers.CharField()
    then = serializers.CharField(source="rule.then")
    is_met = serializers.BooleanField()
    answer = serializers.CharField(source="answer.answer", default=None)
    answered_by = serializers.CharField(source="answer.by", default=None)


class FiredRules(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = FiredSerializer
    pagination_class = None

    @extend_schema(operation_id="fired_rules", responses=FiredSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """The lab's accepted rules that hold of the case as one may see it, and whether each is met."""
        case = open_case(case_id)
        reading = selectors.shown_reading(case, membership_of(request).user)
        found = rules.fired(case, reading, rules.interpreted(reading)) if reading else []
        return Response(FiredSerializer(found, many=True).data)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(
        RuleAnswer.Answer.choices, help_text="`seen` is said by who may sign; `taken` makes the remark."
    )


class RuleAnswers(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = AnswerSerializer

    @extend_schema(operation_id="answer_rule", responses=FiredSerializer(many=True))
    def post(self, request: Request, case_id: UUID, rule_id: UUID) -> Response:
        """Say that one saw the case, or take a remark that is proposed, or leave it."""
        member = membership_of(request)
        case = open_case(case_id)
        rule = get_object_or_404(current(), id=rule_id)
        asked = AnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = RuleAnswer.Answer(asked.validated_data["answer"])
        if said == RuleAnswer.Answer.SEEN and not may(member, Permission.SIGN):
            raise exceptions.PermissionDenied
        reading = selectors.shown_reading(case, member.user)
        if reading is None:
            raise rules.NotFired
        if not may_decide(member, reading):
            raise exceptions.PermissionDenied
        rules.answer(reading, rule, said, by=member.user)
        return Response(
            FiredSerializer(rules.fired(case, reading, rules.interpreted(reading)), many=True).data
        )


class SecondReaderSerializer(serializers.Serializer[Any]):
    reader = serializers.CharField(
        source="asked", allow_null=True, help_text="Who was asked; null: anybody who may."
    )
    asked_by = serializers.CharField()
    rule = serializers.CharField(allow_null=True, help_text="The name of the rule that asked.")
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(["asked", "reading", "finished"])

    def to_representation(self, instance: SecondReader) -> dict[str, Any]:
        """To who reads blinded it does not say which rule asked: that tells what the first reading found."""
        told = super().to_representation(instance)
        return {**told, "rule": None} if self.context.get("is_blinded") else told


class AskSerializer(serializers.Serializer[Any]):
    reader = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, allow_null=True, help_text="A person's id; null: anybody who may."
    )


class SecondReaders(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.VIEW_CASES}
    serializer_class = SecondReaderSerializer
    pagination_class = None

    @extend_schema(operation_id="second_readers_list", responses=SecondReaderSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """Who was asked to read the case second, and how far they are."""
        case = open_case(case_id)
        context = {"is_blinded": selectors.is_blinded(case, membership_of(request).user)}
        found = second_readers.asked_for(case)
        return Response(SecondReaderSerializer(list(found), many=True, context=context).data)

    @extend_schema(
        operation_id="second_reader_ask", request=AskSerializer, responses={201: SecondReaderSerializer}
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask somebody to read the case second; it needs `assign` or `sign`. They are told."""
        member = membership_of(request)
        case = open_case(case_id)
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        check_may_ask(member)
        reader = asked.validated_data["reader"]
        person = None if reader is None else User.objects.filter(pk=reader).first()
        if reader is not None and person is None:
            raise second_readers.CannotReadSecond
        made = second_readers.ask(case, by=member.user, asked=person)
        return Response(SecondReaderSerializer(made).data, status=status.HTTP_201_CREATED)


class Withdrawal(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.VIEW_CASES}
    serializer_class = SecondReaderSerializer

    @extend_schema(operation_id="second_reader_withdraw", request=None, responses={204: None})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Let nobody read second who was asked and has not finished; it needs `assign` or `sign`."""
        case = open_case(case_id)
        if not second_readers.standing(case).waiting:
            raise second_readers.NotWithdrawn
        check_may_ask(membership_of(request))
        second_readers.withdraw(case)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Finish(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = RemarkSerializer

    @extend_schema(operation_id="reading_finish", request=None, responses={204: None})
    def post(self, request: Request, reading_id: int) -> Response:
        """Say that one has finished: all cells are decided. Once both readings are, they are compared."""
        member = membership_of(request)
        reading = disclosure.shown(reading_id, member.user)
        if not may_decide(member, reading):
            raise exceptions.PermissionDenied
        rules.finish(reading, by=member.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DisagreementSerializer(serializers.ModelSerializer[Disagreement]):
    settled_by = serializers.CharField(allow_null=True)
    settled_with = serializers.CharField(allow_null=True)
    proposed_by = serializers.CharField(allow_null=True)
    proposed_to = serializers.CharField(allow_null=True)

    class Meta:
        model = Disagreement
        fields = (
            *("cell", "first_class", "second_class", "settled_class", "how", "in_favour_of"),
            *("settled_by", "settled_with", "settled_at", "number"),
            *("proposed_class", "proposed_by", "proposed_to", "proposed_at"),
        )


CONFUSION = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
    "description": "Cells by the first reading's class, then by the second's.",
}


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    second_reader = serializers.CharField(source="second.reader")
    disagreements = serializers.SerializerMethodField()
    confusion = serializers.SerializerMethodField()

    class Meta:
        model = Agreement
        fields = (
            *("id", "made_at", "second_reader", "cells", "agreed", "by_one", "kappa", "confusion"),
            "disagreements",
        )

    @extend_schema_field(CONFUSION)
    def get_confusion(self, of: Agreement) -> Any:
        return of.confusion

    @extend_schema_field(DisagreementSerializer(many=True))
    def get_disagreements(self, of: Agreement) -> Any:
        return DisagreementSerializer(disagreements(of), many=True).data


class Agreements(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = AgreementSerializer
    pagination_class = None

    @extend_schema(operation_id="agreements_list", responses=AgreementSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """How far readings agreed when both were finished, and the cells on which they differ."""
        found = seen_agreements(open_case(case_id), membership_of(request).user)
        return Response(AgreementSerializer(found, many=True).data)


def by_cell(given: dict[str, str]) -> dict[int, str]:
    fits = all(one.isascii() and one.isdigit() and int(one) <= LARGEST_ID for one in given)
    if not fits or len(given) > CELLS_AT_ONCE:
        raise serializers.ValidationError(_("Give class codes by the ids of cells, 1,000 at most."))
    return {int(cell): code for cell, code in given.items()}


class SettleSerializer(serializers.Serializer[Any]):
    cells = serializers.DictField(
        child=serializers.ChoiceField([*BY_CODE]),
        required=False,
        allow_empty=False,
        help_text="Class codes by cell.",
    )
    in_favour_of = serializers.ChoiceField(
        settlement.SIDES, required=False, help_text="All that is open, as this reading has it."
    )
    together_with = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="The other reader, to whom one of both proposes it; a third person leaves it out.",
    )

    def validate_cells(self, given: dict[str, str]) -> dict[int, str]:
        return by_cell(given)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("cells" in given) == ("in_favour_of" in given):
            raise serializers.ValidationError({"cells": [_("Give either cells or in_favour_of.")]})
        return given


class Settle(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = SettleSerializer

    @extend_schema(operation_id="settle", responses=AgreementSerializer)
    def post(self, request: Request, case_id: UUID, agreement_id: UUID) -> Response:
        """Settle on what class cells are; each becomes a decision of the first reading.

        A third person, who needs `read_second`, settles at once. What one of both readers wants is proposed
        to the other (`together_with`), and counts once they confirm it.
        """
        member, agreement = membership_of(request), _agreement(request, case_id, agreement_id)
        asked = SettleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        side = given.get("in_favour_of", "")
        classes = settlement.in_favour_of(agreement, side) if side else given["cells"]
        try:
            if "together_with" in given:
                other = User.objects.filter(pk=given["together_with"]).first()
                if other is None:
                    raise settlement.NotBoth
                settlement.propose(agreement, classes, by=member.user, to=other, side=side)
            elif not settlement.is_reader(agreement, member.user) and not may(member, Permission.READ_SECOND):
                raise exceptions.PermissionDenied
            else:
                settle(agreement, classes, by=member.user, side=side)
        except (ClassNotUsed, UnknownClass) as error:
            raise exceptions.ValidationError({"cells": [_("The lab does not use this class.")]}) from error
        return Response(AgreementSerializer(agreement).data)


class ConfirmSerializer(serializers.Serializer[Any]):
    cells = serializers.DictField(
        child=serializers.ChoiceField([*BY_CODE]),
        allow_empty=False,
        help_text="The classes that were proposed, as you saw them, by cell.",
    )

    def validate_cells(self, given: dict[str, str]) -> dict[int, str]:
        return by_cell(given)


class ConfirmSettlement(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = ConfirmSerializer

    @extend_schema(operation_id="settle_confirm", responses=AgreementSerializer)
    def post(self, request: Request, case_id: UUID, agreement_id: UUID) -> Response:
        """Confirm what the other reader proposed to you: now both have settled it."""
        member, agreement = membership_of(request), _agreement(request, case_id, agreement_id)
        asked = ConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        confirm(agreement, asked.validated_data["cells"], by=member.user)
        return Response(AgreementSerializer(agreement).data)


class TakeBackSerializer(serializers.Serializer[Any]):
    cells = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        allow_empty=False,
        max_length=CELLS_AT_ONCE,
    )


class TakeBackSettlement(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = TakeBackSerializer

    @extend_schema(operation_id="settle_take_back", responses=AgreementSerializer)
    def post(self, request: Request, case_id: UUID, agreement_id: UUID) -> Response:
        """Take back what you proposed, or turn down what was proposed to you: the cells are open again."""
        member, agreement = membership_of(request), _agreement(request, case_id, agreement_id)
        asked = TakeBackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        settlement.take_back(agreement, asked.validated_data["cells"], by=member.user)
        return Response(AgreementSerializer(agreement).data)


def _agreement(request: Request, case_id: UUID, agreement_id: UUID) -> Agreement:
    found = seen_agreements(open_case(case_id), membership_of(request).user)
    return get_object_or_404(found, id=agreement_id)


def check_may_ask(member: Membership) -> None:
    """Raise PermissionDenied for who asks nobody to read."""
    if not (member.may(Permission.ASSIGN) or may(member, Permission.SIGN)):
        raise exceptions.PermissionDenied


def _texts(member: Membership) -> bool:
    return member.may(Permission.VIEW_IDENTIFIERS)
