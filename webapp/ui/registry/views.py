"""The models that may classify a lab's images."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.labs.permissions import Permission
from webapp.registry import selectors
from webapp.registry.evaluation import evaluations_of, origin_of
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.VIEW_MODELS)
@require_GET
def model_list(request: MemberRequest) -> HttpResponse:
    lab = request.membership.lab
    context = {
        "answering": selectors.answering(lab.id),
        "versions": [
            (version, origin_of(version), evaluations_of(version))
            for version in selectors.versions_seen_by(lab)
        ],
    }
    return render(request, "ui/registry/models.html", context)
