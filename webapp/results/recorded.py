"""What the audit trail keeps of signatures."""

from typing import Any

from webapp.results.models import Signature


def signature_on_record(signature: Signature) -> dict[str, Any]:
    """All that it says, so that none can be altered unnoticed."""
    result = signature.result
    return {
        "result": str(result.id),
        "version": result.version,
        "revision": result.revision,
        "sha256": bytes(signature.sha256).hex(),
        "signature": str(signature.id),
        "by": signature.by_id,
        "name": signature.printed_name,
        "role": signature.role,
        "meaning": signature.meaning,
        "method": signature.method,
        "at": signature.at.isoformat(),
        "zone": signature.zone,
    }
