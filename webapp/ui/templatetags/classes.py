"""Classes of cells as people call them."""

from django import template

from webapp.inference import selectors

register = template.Library()
register.filter("class_name", selectors.class_name)
