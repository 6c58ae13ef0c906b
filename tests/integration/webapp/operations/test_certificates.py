"""Certificates that are watched."""

from webapp.operations.certificates import remaining


def test_a_certificate_that_is_served_is_watched_by_its_address(tmp_path):
    assert remaining("127.0.0.1:1") is None
    assert remaining("nowhere/at/all.pem") == 0
