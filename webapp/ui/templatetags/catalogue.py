"""The catalogue of a page's scripts: it comes before them."""

from django import template

from webapp.ui import catalogue

register = template.Library()
register.simple_tag(catalogue.address, name="catalogue")
