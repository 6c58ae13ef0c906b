"""What `record` writes: one statement for all images of a chunk, whatever their number."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from psycopg.types.json import Jsonb

from serving.contract.sentence import store
from webapp.cases.models import Cell
from webapp.inference.answers import Classified, Refused
from webapp.inference.models import Chunk, Prediction
from webapp.registry.models import ModelVersion


def refuse(refusals: Sequence[Refused], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE cases_image AS image
            SET status = 'refused', refusal = refused.refusal, reason = refused.reason, finished_at = %s,
                sha256 = coalesce(refused.sha256, image.sha256), bytes = coalesce(refused.bytes, image.bytes)
            FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::bytea[], %s::bigint[])
                AS refused (id, refusal, reason, sha256, bytes)
            WHERE image.id = refused.id
            """,
            [
                now,
                [refused.image_id for refused in refusals],
                [refused.refusal.value for refused in refusals],
                [Jsonb(store(refused.reason)) if refused.reason else None for refused in refusals],
                [refused.sha256 for refused in refusals],
                [refused.size for refused in refusals],
            ],
        )


def classify(
    chunk: Chunk, version: ModelVersion, answers: Sequence[Classified], pack_key: str, now: datetime
) -> None:
    """Mark the images as classified; add the pack of their tiles, their cells and what was said of these."""
    cells = [
        (answer.image_id, number, cell) for answer in answers for number, cell in enumerate(answer.cells)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH image AS (
                UPDATE cases_image AS image
                SET status = 'classified', reason = NULL, finished_at = %s,
                    sha256 = answer.sha256, bytes = answer.bytes, width = answer.width,
                    height = answer.height, object_version = answer.object_version,
                    media_type = answer.media_type, display_key = answer.display_key
                FROM unnest(
                    %s::bigint[], %s::bytea[], %s::bigint[], %s::int[], %s::int[], %s::text[], %s::text[],
                    %s::text[]
                ) AS answer (id, sha256, bytes, width, height, object_version, media_type, display_key)
                WHERE image.id = answer.id
            ), pack AS (
                INSERT INTO cases_tilepack (lab_id, case_id, key) VALUES (%s, %s, %s) RETURNING id
            ), answer AS (
                SELECT * FROM unnest(
                    %s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[],
                    %s::text[], %s::float8[], %s::bool[], %s::text[], %s::bytea[], %s::smallint[],
                    %s::bytea[], %s::float8[]
                ) AS answer (
                    image_id, number, "left", top, width, height, tile_offset, tile_length,
                    cell_class, confidence, flagged, probabilities, evidence, evidence_grid,
                    embedding, distance
                )
            ), cell AS (
                INSERT INTO cases_cell
                    (image_id, number, "left", top, width, height, pack_id, tile_offset, tile_length)
                SELECT image_id, number, "left", top, width, height, pack.id, tile_offset, tile_length
                FROM answer CROSS JOIN pack
                RETURNING id, image_id, number
            )
            INSERT INTO inference_prediction (
                cell_id, model_version_id, cell_class, confidence, flagged, probabilities, evidence,
                evidence_grid, embedding, distance
            )
            SELECT cell.id, %s, cell_class, confidence, flagged, probabilities::float8[], evidence,
                evidence_grid, embedding, distance
            FROM answer JOIN cell USING (image_id, number)
            """,
            [
                now,
                [answer.image_id for answer in answers],
                [answer.sha256 for answer in answers],
                [answer.size for answer in answers],
                [answer.width for answer in answers],
                [answer.height for answer in answers],
                [answer.object_version for answer in answers],
                [answer.media_type for answer in answers],
                [answer.display_key for answer in answers],
                chunk.lab_id,
                chunk.case_id,
                pack_key,
                [image_id for image_id, _, _ in cells],
                [number for _, number, _ in cells],
                [cell.box.left for _, _, cell in cells],
                [cell.box.top for _, _, cell in cells],
                [cell.box.width for _, _, cell in cells],
                [cell.box.height for _, _, cell in cells],
                [cell.tile.offset for _, _, cell in cells],
                [cell.tile.length for _, _, cell in cells],
                [cell.cell_class for _, _, cell in cells],
                [cell.confidence for _, _, cell in cells],
                [cell.flagged for _, _, cell in cells],
                [_array(cell.probabilities) for _, _, cell in cells],
                [cell.evidence for _, _, cell in cells],
                [cell.evidence_grid for _, _, cell in cells],
                [cell.embedding for _, _, cell in cells],
                [cell.distance for _, _, cell in cells],
                version.id,
            ],
        )


def say_again(version: ModelVersion, answers: Sequence[Classified]) -> None:
    """Keep what a version said of cells that are there, beside what was said before, and let it count.

    Where the version has said it before, that counts again.
    """
    said = {(answer.image_id, number): cell for answer in answers for number, cell in enumerate(answer.cells)}
    cells = Cell.objects.filter(image_id__in=[answer.image_id for answer in answers])
    found = {
        cell_id: said[image_id, number]
        for cell_id, image_id, number in cells.values_list("id", "image_id", "number")
        if (image_id, number) in said
    }
    Prediction.objects.filter(cell_id__in=found, current=True).exclude(model_version=version).update(
        current=False
    )
    Prediction.objects.bulk_create(
        (
            Prediction(
                cell_id=cell_id,
                model_version=version,
                cell_class=cell.cell_class,
                confidence=cell.confidence,
                flagged=cell.flagged,
                probabilities=cell.probabilities,
                evidence=cell.evidence,
                evidence_grid=cell.evidence_grid,
                embedding=cell.embedding,
                distance=cell.distance,
            )
            for cell_id, cell in found.items()
        ),
        update_conflicts=True,
        unique_fields=["cell", "model_version"],
        update_fields=["current"],
    )


def _array(numbers: Sequence[float]) -> str:
    """As PostgreSQL writes an array: `unnest` would take one of arrays apart to its numbers."""
    return "{" + ",".join(map(repr, numbers)) + "}"
