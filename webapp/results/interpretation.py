"""What a differential count means for the patient whose it is: absolute values, the lab's ranges, flags.

It is computed here alone, for pages, API, worklist and results. Sex and birth date are read to choose a
range; what comes out of here tells of them by its ranges alone, which are for those who may see who the
patient is: `Interpretation.without_ranges`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from serving.contract import CellClass
from webapp.cases import selectors as cases
from webapp.cases.models import Case
from webapp.hematology.absolute import HUNDREDTH, TENTH, absolute, corrected_wbc, per_100, rounded
from webapp.hematology.classes import ABNORMAL_ABOVE_LIMIT, ABNORMAL_IN_ANY_NUMBER, BY_CODE
from webapp.hematology.differential import Differential, Row, row_of
from webapp.hematology.flags import (
    CRITICAL,
    Flag,
    by_weight,
    is_within_counting_error,
    judged,
)
from webapp.labs.models import zone
from webapp.patients.identifiers import Sex
from webapp.ranges.models import Quantity, ReferenceRange
from webapp.ranges.selectors import applying, valid_now
from webapp.ranges.wording import normal

NRBC = "erythroblast"
Value = tuple[Decimal, Decimal | None, Decimal | None]


class NoRange(TextChoices):
    """Why a value is judged by nothing."""

    AGE_UNKNOWN = "age_unknown", _("No range: age unknown.")
    BORN_LATER = "born_later", _("No range: the birth date is after the day of the specimen.")
    SEX_UNKNOWN = "sex_unknown", _("No range: sex unknown.")
    NONE_APPROVED = "none_approved", _("No range: the lab has approved none.")
    NO_ABSOLUTE = "no_absolute", _("No range: it is for absolute values, and there is none.")
    NOT_SHOWN = "not_shown", _("Ranges are not shown: they would tell how old the patient is.")


class Correction(TextChoices):
    """What became of the analyser's white cells."""

    NONE = "none", _("As the analyser counted; there were too few erythroblasts to take off.")
    DONE_HERE = "done_here", _("Corrected here for the erythroblasts that were counted.")
    BY_ANALYSER = "by_analyser", _("The analyser has taken erythroblasts off already.")
    NOT_KNOWN = (
        "not_known",
        _(
            "No absolute values: erythroblasts were counted, and nobody has said whether the analyser took "
            "them off its count of white cells already."
        ),
    )
    NO_WBC = "no_wbc", _("No absolute values: nobody has entered the analyser's count of white cells.")


@dataclass(frozen=True)
class UsedRange:
    """A range that applied, as it was when it did."""

    id: int
    quantity: str
    low: Decimal | None
    high: Decimal | None
    critical_low: Decimal | None
    critical_high: Decimal | None
    source: str
    sex: str
    age_from_days: int
    age_to_days: int | None
    text: str


@dataclass(frozen=True)
class Interpreted:
    """One class of the differential, or, with `parts`, a class together with the classes that are part of it.

    Attributes:
        row: count, per cent of white cells (or number per 100 of them) and interval.
        parts: the classes counted in it, where it is a total: all neutrophils, segmented and band ones among
            them. Each of them has a row of its own besides.
        ranges: that applied; the first is the one that judged.
        no_range: why none did. None also where nothing is ever judged: a number alone, or what is in a total.
        flags: what matters most first.
        near_limit: it is flagged, and the limit is within its counting error.
    """

    row: Row
    absolute: Decimal | None
    absolute_low: Decimal | None
    absolute_high: Decimal | None
    ranges: tuple[UsedRange, ...]
    no_range: NoRange | None
    flags: tuple[Flag, ...]
    near_limit: bool
    parts: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.row.cell_class.code

    @property
    def name(self) -> str:
        name = say(self.row.cell_class.name)
        if not self.parts:
            return name
        # Translators: a total, as "Neutrophil, all": segmented and band ones, and those not told apart.
        return pgettext("of cells", "%(class)s, all") % {"class": name}

    @property
    def range_text(self) -> str:
        """The range that judged, or why none did; empty where nothing is ever judged."""
        if self.ranges:
            return self.ranges[0].text
        return str(self.no_range.label) if self.no_range else ""


@dataclass(frozen=True)
class Interpretation:
    """A differential, and what it means.

    Attributes:
        rows: in the order of the differential; a total stands before the first of its parts.
        wbc: in 10^9/L with two places, without erythroblasts; None: not known.
        wbc_given: what was entered.
        flags: of all rows, each once, what matters most first.
        critical: the rows with a critical value.
        required: white cells of a full count in this lab.
    """

    rows: tuple[Interpreted, ...]
    differential: Differential
    wbc: Decimal | None
    wbc_given: Decimal | None
    wbc_correction: Correction
    flags: tuple[Flag, ...]
    critical: tuple[Interpreted, ...]
    required: int
    is_short: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of it as a whole: why there are no absolute values, and why rows are not judged."""
        said = []
        if self.wbc_correction in (Correction.NOT_KNOWN, Correction.NO_WBC):
            said.append(str(self.wbc_correction.label))
        reasons = {one.no_range for one in self.rows if one.no_range}
        if any(one.ranges for one in self.rows) or len(reasons) > 1:
            reasons.discard(NoRange.NONE_APPROVED)
        return (*said, *(str(reason.label) for reason in NoRange if reason in reasons))

    @property
    def own_rows(self) -> tuple[Interpreted, ...]:
        """One for each class."""
        return tuple(one for one in self.rows if not one.parts)

    @property
    def totals(self) -> tuple[Interpreted, ...]:
        return tuple(one for one in self.rows if one.parts)

    @property
    def white_cells(self) -> tuple[Interpreted, ...]:
        return tuple(one for one in self.rows if one.row.cell_class.in_wbc)

    @property
    def others(self) -> tuple[Interpreted, ...]:
        return tuple(one for one in self.rows if not one.row.cell_class.in_wbc)

    def without_ranges(self) -> "Interpretation":
        """For who may not see who the patient is: limits tell their age, and often their sex."""

        def hidden(one: Interpreted) -> Interpreted:
            return replace(one, ranges=(), no_range=NoRange.NOT_SHOWN) if one.ranges else one

        return replace(self, rows=tuple(map(hidden, self.rows)), critical=tuple(map(hidden, self.critical)))

    def of(self, code: str) -> Interpreted | None:
        """All cells of a class: the total where there is one, else the class's row."""
        found = [one for one in self.rows if one.code == code]
        return next((one for one in found if one.parts), found[0] if found else None)


@dataclass(frozen=True, repr=False)
class Basis:
    """What a case's differentials are interpreted by, however many there are. It has no `repr`, for it says
    who the patient is."""

    full_count: int
    nrbc_correction_from: int
    ranges: tuple[ReferenceRange, ...]
    age: int | None
    """In days, when the specimen was collected; negative: born later."""
    sex: str | None
    wbc: Decimal | None
    wbc_is_corrected: bool | None


def interpret(case: Case, differential: Differential) -> Interpretation:
    """What a differential of the case means. In a constant number of queries."""
    return interpreted(basis_of(case), differential)


def basis_of(case: Case) -> Basis:
    """What is known of the case that its cells do not say."""
    known = cases.identifiers_of([case], ("birth_date", "sex"))[case.id]
    facts = Case.objects.filter(id=case.id).values_list(
        "lab__full_count",
        "lab__nrbc_correction_from",
        "lab__time_zone",
        "specimen__collected_at",
        "specimen__received_at",
        "created_at",
        "analyser_count__wbc",
        "analyser_count__wbc_is_corrected",
    )
    full_count, correct_from, time_zone, collected, received, created, wbc, is_corrected = facts.get()
    return Basis(
        full_count=full_count,
        nrbc_correction_from=correct_from,
        ranges=tuple(valid_now(case.lab_id)),
        age=age_in_days(known.birth_date, collected or received or created, time_zone),
        sex=known.sex if known.sex in (Sex.FEMALE, Sex.MALE) else None,
        wbc=wbc,
        wbc_is_corrected=is_corrected,
    )


def age_in_days(birth_date: date | None, at: datetime, time_zone: str) -> int | None:
    """By the calendar where the lab is: at whatever hour, somebody born that day is of age 0."""
    return (at.astimezone(zone(time_zone) or UTC).date() - birth_date).days if birth_date else None


def interpreted(basis: Basis, differential: Differential) -> Interpretation:
    """What a differential means by what is known of its case. Asks the database nothing."""
    counts = {row.cell_class.code: row.count for row in differential.rows}
    wbc, correction = _wbc(basis, per_100(counts.get(NRBC, 0), differential.wbc_count))
    rows: list[Interpreted] = []
    of_totals = _totals(counts)
    told = set[str]()
    for row in differential.rows:
        code = row.cell_class.code
        whole = row.cell_class.rolls_up_to or code
        if whole in of_totals and whole not in told:
            told.add(whole)
            parts = of_totals[whole]
            total = row_of(BY_CODE[whole], sum(counts[part] for part in parts), differential.wbc_count)
            rows.append(_judged(basis, total, wbc, differential.wbc_count, parts=parts))
        if code in of_totals:  # what was not told apart; the total is judged
            rows.append(_plain(row, wbc, differential.wbc_count))
        else:
            unclear = code != whole and counts.get(whole, 0) > 0
            rows.append(_judged(basis, row, wbc, differential.wbc_count, may_be_more=unclear))
    return Interpretation(
        rows=tuple(rows),
        differential=differential,
        wbc=None if wbc is None else rounded(wbc, HUNDREDTH),
        wbc_given=basis.wbc,
        wbc_correction=correction,
        flags=by_weight(flag for one in rows for flag in one.flags),
        critical=tuple(one for one in rows if CRITICAL.intersection(one.flags)),
        required=basis.full_count,
        is_short=differential.wbc_count < basis.full_count,
    )


def _wbc(basis: Basis, nrbc: Decimal | None) -> tuple[Decimal | None, Correction]:
    if basis.wbc is None:
        return None, Correction.NO_WBC
    found = corrected_wbc(
        basis.wbc,
        nrbc,
        is_corrected=basis.wbc_is_corrected,
        correct_from=Decimal(basis.nrbc_correction_from),
    )
    if found is None:
        return None, Correction.NOT_KNOWN
    if basis.wbc_is_corrected:
        return found, Correction.BY_ANALYSER
    return found, Correction.NONE if found == basis.wbc else Correction.DONE_HERE


def _totals(counts: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Classes of white cells of which some cells were told apart further, with all that counts as them."""
    found: dict[str, list[str]] = {}
    for code in counts:
        if (whole := BY_CODE[code].rolls_up_to) and BY_CODE[code].in_wbc:
            found.setdefault(whole, [whole] if whole in counts else []).append(code)
    return {
        whole: tuple(parts)
        for whole, parts in found.items()
        if any(counts[part] for part in parts if part != whole)
    }


def _values(row: Row, wbc: Decimal | None, of: int) -> dict[str, Value]:
    """By quantity, what judges first before the other: the value with its interval, as they are printed."""
    ratio = per_100(row.count, of)
    if ratio is None or row.cell_class.unit is None:
        return {}
    if row.low is None or row.high is None:
        return {Quantity.PER_100: (rounded(ratio, TENTH), None, None)}
    bounds = Decimal(row.low), Decimal(row.high)
    values: dict[str, Value] = {}
    if wbc is not None:
        low, high = (absolute(wbc, bound) for bound in bounds)
        values[Quantity.ABSOLUTE] = (absolute(wbc, ratio), low, high)
    low, high = (rounded(bound, TENTH) for bound in bounds)
    values[Quantity.PERCENT] = (rounded(ratio, TENTH), low, high)
    return values


def _plain(
    row: Row,
    wbc: Decimal | None,
    of: int,
    *,
    ranges: Iterable[UsedRange] = (),
    no_range: NoRange | None = None,
    flags: Iterable[Flag] = (),
    near_limit: bool = False,
    parts: tuple[str, ...] = (),
) -> Interpreted:
    value, low, high = _values(row, wbc, of).get(Quantity.ABSOLUTE, (None, None, None))
    return Interpreted(
        row=row,
        absolute=value,
        absolute_low=low,
        absolute_high=high,
        ranges=tuple(ranges),
        no_range=no_range,
        flags=by_weight(flags),
        near_limit=near_limit,
        parts=parts,
    )


def _judged(
    basis: Basis,
    row: Row,
    wbc: Decimal | None,
    of: int,
    *,
    parts: tuple[str, ...] = (),
    may_be_more: bool = False,
) -> Interpreted:
    """
    Args:
        may_be_more: some of its cells may be among those that were not told apart, so it is never too few.
    """
    code = row.cell_class.code
    values = _values(row, wbc, of)
    found, no_range = _ranges(basis, row.cell_class, values)
    flags = set[Flag]()
    near_limit = False
    if found:
        value, low, high = values[found[0].quantity]
        limits = found[0].limits
        flag = judged(value, limits)
        if flag and not (may_be_more and flag in (Flag.LOW, Flag.CRITICAL_LOW)):
            flags.add(flag)
            near_limit = is_within_counting_error(flag, limits, low, high)
            if code in ABNORMAL_ABOVE_LIMIT and flag in (Flag.HIGH, Flag.CRITICAL_HIGH):
                flags.add(Flag.ABNORMAL)
    if code in ABNORMAL_IN_ANY_NUMBER and row.count:
        flags.add(Flag.ABNORMAL)
    used = [used_range(one) for one in found]
    return _plain(
        row, wbc, of, ranges=used, no_range=no_range, flags=flags, near_limit=near_limit, parts=parts
    )


def _ranges(
    basis: Basis, cell_class: CellClass, values: Mapping[str, object]
) -> tuple[list[ReferenceRange], NoRange | None]:
    """Those that apply, in the order in which they judge; or why none does."""
    if cell_class.unit is None:
        return [], None
    approved = {row.quantity for row in basis.ranges if row.cell_class == cell_class.code}
    if not approved:
        return [], NoRange.NONE_APPROVED
    if basis.age is None:
        return [], NoRange.AGE_UNKNOWN
    if basis.age < 0:
        return [], NoRange.BORN_LATER
    if not values:
        return [], None
    wanted = [quantity for quantity in values if quantity in approved]
    if not wanted:
        return [], NoRange.NO_ABSOLUTE
    found = [
        row
        for quantity in wanted
        if (row := applying(basis.ranges, cell_class.code, quantity, age=basis.age, sex=basis.sex))
    ]
    return found, None if found else NoRange.SEX_UNKNOWN


def used_range(row: ReferenceRange) -> UsedRange:
    return UsedRange(
        id=row.pk,
        quantity=row.quantity,
        low=row.low,
        high=row.high,
        critical_low=row.critical_low,
        critical_high=row.critical_high,
        source=row.source,
        sex=row.sex,
        age_from_days=row.age_from_days,
        age_to_days=row.age_to_days,
        text=normal(row),
    )
