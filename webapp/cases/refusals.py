"""Why an uploaded file was not taken: the codes, and the sentence a person reads."""

from django.db.models import TextChoices


class Refusal(TextChoices):
    EMPTY = "empty", "The file is empty. Export it again from the camera software."
    TOO_LARGE = "too_large", "The file is larger than this server takes."
    UNSUPPORTED_TYPE = (
        "unsupported_type",
        "Only JPEG, PNG, TIFF, BMP and WebP images are taken. Save the picture as one of these.",
    )
    NOT_AN_IMAGE = (
        "not_an_image",
        "The content is not a JPEG, PNG, TIFF, BMP or WebP image. Save the picture as one of these.",
    )
    DAMAGED = "damaged", "The image is damaged or cut short. Export or copy it again."
    TOO_MANY_PIXELS = "too_many_pixels", "The image has more pixels than this server takes."
    TOO_COSTLY = (
        "too_costly",
        "The image takes too much work to decode. Save it again as a plain PNG, TIFF or JPEG.",
    )
    TOO_SMALL = "too_small", "The image has too few pixels to show a cell."
    NO_COLOUR = "no_colour", "The image has no colour. The stain's colours are needed to tell cells apart."
    SEVERAL_PICTURES = (
        "several_pictures",
        "The file holds several pictures. Upload each as a file of its own.",
    )
    DUPLICATE = "duplicate", "The same image is already in this case; it is counted once."
    ALTERED = "altered", "What arrived is not the file that was announced. Upload it again."
    NOT_UPLOADED = "not_uploaded", "The file never arrived in storage, or was deleted there. Upload it again."


NO_VERDICT = (Refusal.NOT_UPLOADED, Refusal.ALTERED)
"""Those that say nothing of the file's content, because it never came: its bytes are still wanted."""
