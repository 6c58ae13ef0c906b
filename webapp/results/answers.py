"""What is told of both differentials, in one shape whether it comes with the page or is asked for later."""

from decimal import Decimal
from typing import Any

from webapp.results.interpretation import Interpretation, Interpreted
from webapp.results.sheets import Sheets


def sheets_json(of: Sheets) -> dict[str, Any]:
    counted = of.counted
    return {
        "reviewed": _sheet_json(of.reviewed),
        "suggested": _sheet_json(of.suggested),
        "undecided": counted.undecided,
        "unidentified": counted.unidentified,
        "not_classed": counted.not_classed,
        "full_count": counted.full_count,
    }


def differential_json(of: Interpretation) -> dict[str, Any]:
    """One differential, as a case has it."""
    counted = of.differential
    return {
        **_meaning_json(of),
        "white_cells": [_coded_json(one) for one in of.white_cells if not one.parts],
        "others": [_coded_json(one) for one in of.others if not one.parts],
        "totals": [_coded_json(one) for one in of.totals],
        "wbc_count": counted.wbc_count,
        "unidentified": counted.unidentified,
        "not_classed": counted.not_classed,
        "full_count": counted.full_count,
        "is_full": counted.is_full,
    }


def _interpreted_json(one: Interpreted) -> dict[str, Any]:
    """What a row means."""
    return {
        "absolute": _text(one.absolute),
        "absolute_low": _text(one.absolute_low),
        "absolute_high": _text(one.absolute_high),
        "flags": [flag.value for flag in one.flags],
        "near_limit": one.near_limit,
        "range": one.range_text,
        "no_range": one.no_range.value if one.no_range else None,
        "parts": list(one.parts),
    }


def _meaning_json(of: Interpretation) -> dict[str, Any]:
    """What goes for all rows of a differential."""
    return {
        "wbc": _text(of.wbc),
        "wbc_given": _text(of.wbc_given),
        "wbc_correction": of.wbc_correction.value,
        "notes": list(of.notes),
        "flags": [flag.value for flag in of.flags],
    }


def _sheet_json(of: Interpretation) -> dict[str, Any]:
    return {
        "wbc_count": of.differential.wbc_count,
        **_meaning_json(of),
        "rows": [_row_json(one) for one in of.own_rows],
        "totals": [_row_json(one) for one in of.totals],
    }


def _row_json(one: Interpreted) -> dict[str, Any]:
    row = one.row
    return {
        "class": row.cell_class.code,
        "name": one.name,
        "count": row.count,
        "percent": row.percent,
        "low": row.low,
        "high": row.high,
        "unit": row.cell_class.unit,
        "in_wbc": row.cell_class.in_wbc,
        **_interpreted_json(one),
    }


def _coded_json(one: Interpreted) -> dict[str, Any]:
    row = _row_json(one)
    return {"code": row.pop("class"), "loinc": one.row.cell_class.loinc, **row}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
