"""A mail server as it is typed in."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.services.mail_server import MailSecurity, MailServer

ODD = "p@ss: w/rd%#?%41&=+"


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"server": "smtp example.org"}, "server"),
        ({"server": "smtp.example.org/x?y"}, "server"),
        ({"to": "owner"}, "to"),
        ({"to": "owner@example.org\r\nBcc: other@example.org"}, "to"),
        ({"to": ""}, "to"),
        ({"sender": "vault"}, "from"),
        ({"port": 0}, "port"),
        ({"user": "me"}, "password"),
        ({"user": "me", "password": "x\ny"}, "password"),
        ({"user": "me", "password": "schlüssel"}, "password"),
    ],
)
def test_a_mail_server_that_makes_no_sense_is_refused_where_it_is_typed(given, argument):
    with pytest.raises(InvalidInput) as caught:
        MailServer(**{"server": "smtp.example.org", "to": "owner@example.org", **given})
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("security", "schema", "port"),
    [(MailSecurity.STARTTLS, "mailtos", 587), (MailSecurity.TLS, "mailtos", 465), (MailSecurity.NONE, "mailto", 25)],
)
def test_the_usual_port_belongs_to_the_encryption(security, schema, port):
    parts = urlsplit(MailServer("smtp.example.org", "me@example.org", security=security).address)
    assert (parts.scheme, parts.hostname, parts.port) == (schema, "smtp.example.org", port)
    assert parse_qs(parts.query)["mode"] == [security.value]


def test_odd_characters_survive_in_the_address():
    made = MailServer("smtp.example.org", "a@example.org, b@example.org", user="me@example.org", password=ODD)
    parts = urlsplit(made.address)
    assert unquote(parts.username or "") == "me@example.org"
    assert unquote(parts.password or "") == ODD
    assert parse_qs(parts.query)["to"] == ["a@example.org,b@example.org"]
    assert parse_qs(parts.query)["from"] == ["a@example.org"]


def test_the_password_is_not_in_what_is_shown_of_it():
    assert ODD not in repr(MailServer("smtp.example.org", "me@example.org", user="me", password=ODD))
