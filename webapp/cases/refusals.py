"""Why an uploaded file was not taken: the codes, and the sentence a person reads."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Refusal(TextChoices):
    EMPTY = "empty", _("The file is empty. Export it again from the camera software.")
    TOO_LARGE = "too_large", _("The file is larger than this server takes.")
    UNSUPPORTED_TYPE = (
        "unsupported_type",
        _("Only JPEG, PNG, TIFF, BMP and WebP images are taken. Save the picture as one of these."),
    )
    NOT_AN_IMAGE = (
        "not_an_image",
        _("The content is not a JPEG, PNG, TIFF, BMP or WebP image. Save the picture as one of these."),
    )
    DAMAGED = "damaged", _("The image is damaged or cut short. Export or copy it again.")
    TOO_MANY_PIXELS = "too_many_pixels", _("The image has more pixels than this server takes.")
    TOO_COSTLY = (
        "too_costly",
        _("The image takes too much work to decode. Save it again as a plain PNG, TIFF or JPEG."),
    )
    TOO_SMALL = "too_small", _("The image has too few pixels to show a cell.")
    NO_COLOUR = "no_colour", _("The image has no colour. The stain's colours are needed to tell cells apart.")
    SEVERAL_PICTURES = (
        "several_pictures",
        _("The file holds several pictures. Upload each as a file of its own."),
    )
    DUPLICATE = "duplicate", _("The same image is already in this case; it is counted once.")
    ALTERED = "altered", _("What arrived is not the file that was announced. Upload it again.")
    NOT_UPLOADED = (
        "not_uploaded",
        _("The file never arrived in storage, or was deleted there. Upload it again."),
    )


NO_VERDICT = (Refusal.NOT_UPLOADED, Refusal.ALTERED)
"""Those that say nothing of the file's content, because it never came: its bytes are still wanted."""
