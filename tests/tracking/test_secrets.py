"""What libraries say is written down without tokens and passwords."""

import pytest

from imageloom.tracking.secrets import without_login, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("401 for token-abc at http://host", "401 for *** at http://host"),
        ("http://user:pa@host:5000/x failed", "http://***@host:5000/x failed"),
        ("nothing to hide", "nothing to hide"),
        ("the place is /home/me", "the place is /home/me"),
    ],
)
def test_values_that_are_called_a_secret_and_logins_are_hidden(text, expected):
    variables = {"MLFLOW_TRACKING_TOKEN": "token-abc", "HOME": "/home/me", "SHORT_KEY": "no"}
    assert without_secrets(text, variables) == expected


def test_an_address_is_shown_without_its_login():
    assert without_login("https://me:secret@host/path") == "https://host/path"
    assert without_login("http://host:5000") == "http://host:5000"
