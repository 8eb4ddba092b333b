"""Who may ask a served model."""

import os

import pytest

from imageloom.errors import EnvironmentUnsuitableError, ParameterParsingError
from imageloom.server.site import NetworkPlace
from imageloom.serving.door import TOKEN_VARIABLE, ServingDoor, is_loopback, read_token

TOKEN = "0123456789abcdef0123456789abcdef"
HERE = NetworkPlace("127.0.0.1", 8470)
NETWORK = NetworkPlace("0.0.0.0", 8470)


def asked(door, path="/predict", hosts=("127.0.0.1:8470",), **headers):
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = door.refusal(path, found, hosts)
    return None if refusal is None else (refusal.status, refusal.reason)


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "LOCALHOST:8470", "[::1]:8470"])
def test_this_machine_asks_under_its_own_names(host):
    assert asked(ServingDoor.of(HERE, ""), hosts=(host,)) is None


@pytest.mark.parametrize(
    "hosts",
    [
        ("evil.com",),
        ("evil.com:8470",),
        ("localhost.evil.com:8470",),
        ("127.0.0.1.nip.io:8470",),
        ("127.0.0.1:8471",),
        ("0.0.0.0:8470",),
        (),
        ("127.0.0.1:8470", "127.0.0.1:8470"),
    ],
)
def test_s08_any_other_name_is_refused_where_there_is_no_token(hosts):
    assert asked(ServingDoor.of(HERE, ""), hosts=hosts) == (403, "wrong-host")


@pytest.mark.parametrize("token", ["", TOKEN])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8470"},
        {"origin": "https://evil.com"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_s09_no_page_may_ask(token, headers):
    door = ServingDoor.of(HERE, token)
    shown = {"authorization": f"Bearer {token}"} if token else {}
    assert asked(door, **headers, **shown) == (403, "wrong-origin")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer ü"]
)
def test_without_the_token_nothing_is_answered_but_health(shown):
    door = ServingDoor.of(NETWORK, TOKEN)
    for path in ("/predict", "/metrics", "/v2", "/v2/health/live/", "/v2/models/flowers/infer"):
        assert asked(door, path, hosts=("model.lan",), authorization=shown) == (401, "no-token")
    assert asked(door, "/v2/health/live", hosts=("10.0.0.7:8470",), authorization=shown) is None


def test_with_the_token_any_name_will_do():
    door = ServingDoor.of(NETWORK, TOKEN)
    assert asked(door, hosts=("model.lan",), authorization=f"bearer {TOKEN}") is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "model.lan"])
def test_a_network_is_not_served_without_a_token(host):
    assert not is_loopback(host)
    with pytest.raises(EnvironmentUnsuitableError, match="there is no token: anybody could ask"):
        ServingDoor.of(NetworkPlace(host, 8470), "")


def test_the_token_is_taken_out_of_the_environment():
    environment = {TOKEN_VARIABLE: f" {TOKEN}\n", "PATH": "/bin"}
    assert read_token(None, environment, print) == TOKEN
    assert environment == {"PATH": "/bin"}


def test_a_file_comes_before_the_environment_and_others_may_not_read_it(tmp_path):
    file, notices = tmp_path / "token", []
    file.write_text("f" * 32 + "\n")
    file.chmod(0o644)
    assert read_token(file, {TOKEN_VARIABLE: TOKEN}, notices.append) == "f" * 32
    assert "chmod 600" in notices[0].message
    file.chmod(0o600)
    read_token(file, {}, notices.append)
    assert len(notices) == 1


@pytest.mark.parametrize("content", ["", "short", "ü" * 40, "a b\x00" * 10])
def test_a_token_that_is_no_secret_is_refused(tmp_path, content):
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(ParameterParsingError, match="at least 16"):
        read_token(file, {}, lambda _: None)


def test_a_token_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EnvironmentUnsuitableError, match=os.fspath(tmp_path / "none")):
        read_token(tmp_path / "none", {}, print)
