"""Signing in and out, and what ends a session (S08, S09, S10, S15)."""

import asyncio
import dataclasses
import stat

import pytest
from fastapi.testclient import TestClient

from imageloom.errors import InvalidRequestError, ParameterParsingError, StoreCorruptError
from imageloom.server.access import Visitor
from imageloom.server.app import create_app
from imageloom.server.people import passwords
from imageloom.server.people.roles import Person, Role
from imageloom.server.people.sessions import IDLE_S, LIFE_S, Sessions
from imageloom.server.people.trials import MOST_PER_ADDRESS, MOST_TOGETHER, WINDOW_S, Trials
from imageloom.server.people.users import Users
from imageloom.server.routes import events as event_routes
from imageloom.server.routes import people as people_routes
from imageloom.server.site import NetworkPlace, Site

from .conftest import HOME, PASSWORD, session_of
from .test_access import HOSTS_OF_OTHERS, ORIGINS_OF_OTHERS

PUBLIC = "https://studio.example.org"


def sign_in(client, name="eve", password=PASSWORD, **more):
    return client.post("/api/session/sign-in", json={"name": name, "password": password}, **more)


def told(answer):
    """An answer without the number of its request."""
    return answer.status_code, answer.json()["error"], dict(answer.headers) | {"content-length": 0}


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(asking):
    client = asking()
    answer = sign_in(client)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 204
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie, "there is no https here"
    seen = client.get("/api/session").json()
    assert (seen["user"], seen["role"], seen["has_people"]) == ("eve", "editor", True)


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(asking):
    client = asking()
    wrong, unknown = sign_in(client, password="x" * 20), sign_in(client, name="nobody")
    assert told(wrong) == told(unknown)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize("meanwhile", ["remove", "set_password", "set_role"])
def test_who_is_removed_or_changed_while_they_sign_in_is_not_signed_in(
    asking, people, monkeypatch, meanwhile
):
    more = {"remove": (), "set_password": ("another good password",), "set_role": (Role.VIEWER,)}

    def is_right_and_then_changes(*looked_at):
        is_right = passwords.is_password(*looked_at)
        getattr(people.users, meanwhile)("eve", *more[meanwhile])
        return is_right

    monkeypatch.setattr(people_routes, "is_password", is_right_and_then_changes)
    answer = sign_in(asking())
    assert (answer.status_code, answer.json()["error"]["reason"]) == (401, "wrong-password")
    assert "set-cookie" not in answer.headers


def test_an_unknown_name_takes_the_work_of_a_known_one(monkeypatch, password_hash):
    verified = []

    class Hasher:
        def hash(self, _password):
            return "hash of nobody"

        def verify(self, known, _password):
            verified.append(known)
            return True

    monkeypatch.setattr(passwords, "_hasher", Hasher)
    passwords._hash_of_nobody.cache_clear()
    assert not passwords.is_password("anything", None)
    assert passwords.is_password("anything", password_hash)
    passwords._hash_of_nobody.cache_clear()
    assert verified == ["hash of nobody", password_hash]


def test_passwords_are_kept_as_argon2id_with_the_settings_of_rfc_9106(tmp_path):
    users = Users(tmp_path)
    users.add("ada", Role.ADMIN, PASSWORD, now=1.0)
    kept = users.all()["ada"].password
    # RFC 9106, section 4, the second recommended option: t=3, m=2^16 KiB, p=4.
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_password(PASSWORD, kept)
    assert not passwords.is_password(PASSWORD + "x", kept)
    assert PASSWORD not in (tmp_path / "users.json").read_text()
    assert stat.S_IMODE((tmp_path / "users.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 1001, "Alexandrina.1"])
def test_a_password_that_is_soon_guessed_is_refused_and_not_repeated(tmp_path, password):
    users = Users(tmp_path)
    with pytest.raises(ParameterParsingError, match="password") as caught:
        users.add("alexandrina.1", Role.VIEWER, password, now=1.0)
    assert password not in str(caught.value)
    assert users.all() == {}


@pytest.mark.parametrize("name", ["", "Ada", "1ada", "a b", "../ada", "a" * 33, "ada\n", "ädä"])
def test_a_name_that_could_be_mistaken_is_refused(tmp_path, name):
    with pytest.raises(ParameterParsingError, match="cannot be the name"):
        Users(tmp_path).add(name, Role.VIEWER, PASSWORD, now=1.0)


def test_the_only_admin_stays(people):
    for change in (
        lambda: people.users.remove("ada"),
        lambda: people.users.set_role("ada", Role.EDITOR),
    ):
        with pytest.raises(InvalidRequestError, match="only admin"):
            change()
    people.users.set_role("eve", Role.ADMIN)
    people.users.remove("ada")
    assert "ada" not in people.users.all()


def test_a_damaged_file_of_users_lets_nobody_in(people, studio, asking):
    client = asking("ada")
    assert client.get("/api/session").status_code == 200
    (studio.engine.workspace.people / "users.json").write_text("{")
    with pytest.raises(StoreCorruptError, match=r"users\.json"):
        people.users.all()
    assert client.get("/api/session").status_code == 503


def test_only_the_hash_of_a_session_is_on_file_and_only_for_its_owner(people, studio):
    secret = session_of(people, "eve")
    files = [one for one in studio.engine.workspace.people.rglob("*") if one.is_file()]
    assert len(secret) == 43, "256 bits in base 64"
    assert not any(secret in one.name or secret in one.read_text() for one in files)
    (session,) = (one for one in files if one.parent.name == "sessions")
    assert stat.S_IMODE(session.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("used_at", "asked_at", "is_in"),
    [
        ((), IDLE_S - 1, True),
        ((), IDLE_S + 1, False),
        ((IDLE_S - 1,), 2 * IDLE_S - 2, True),
        (tuple(IDLE_S * n / 2 for n in range(1, 28)), LIFE_S - 1, True),
        (tuple(IDLE_S * n / 2 for n in range(1, 28)), LIFE_S + 1, False),
    ],
)
def test_a_session_ends_when_it_is_not_used_and_after_two_weeks_in_any_case(
    people, studio, used_at, asked_at, is_in
):
    clock = [1_000_000.0]
    sessions = Sessions(studio.engine.workspace.people, people.users, now=lambda: clock[0])
    secret = sessions.begin("eve", people.users.find("eve"))
    for moment in used_at:
        clock[0] = 1_000_000.0 + moment
        assert sessions.person(secret) is not None
    clock[0] = 1_000_000.0 + asked_at
    assert (sessions.person(secret) == Person("eve", Role.EDITOR)) is is_in


@pytest.mark.parametrize("secret", ["", "x", "../users.json", "a" * 43, "é" * 43, "\0" * 43])
def test_what_is_no_session_is_nobodys(people, secret):
    assert people.sessions.person(secret) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda users: users.remove("eve"),
        lambda users: users.set_role("eve", Role.VIEWER),
        lambda users: users.set_password("eve", "another long password"),
    ],
    ids=["removed", "another role", "another password"],
)
def test_all_sessions_of_a_user_who_was_changed_end_at_once(asking, people, change):
    one, other, finn = asking("eve"), asking("eve"), asking("finn")
    assert one.get("/api/session").status_code == 200
    change(people.users)
    assert one.get("/api/session").status_code == other.get("/api/session").status_code == 401
    assert finn.get("/api/session").status_code == 200


def test_a_user_who_was_removed_and_added_again_has_no_old_sessions(asking, people):
    client = asking("vic")
    people.users.remove("vic")
    people.users.add("vic", Role.ADMIN, PASSWORD, now=2.0)
    assert client.get("/api/session").status_code == 401


def test_signing_out_ends_the_session_and_not_only_the_cookie(asking, door):
    client = asking("eve")
    secret = client.cookies[door.cookie_name]
    assert client.post("/api/session/sign-out", json={}).status_code == 204
    client.cookies.set(door.cookie_name, secret)
    assert client.get("/api/session").status_code == 401


def test_a_page_that_follows_what_happens_ends_when_its_person_is_signed_out(app, people, door):
    secret = session_of(people, "eve")
    assert asyncio.run(_stream(app, door, secret, lambda: people.sessions.end(secret))) == 200


async def _stream(app, door, secret, then):
    """Follow what happens, do something once it began, and return the status when it ends."""
    sent, asked = [], [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return asked.pop() if asked else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)
        if message.get("body"):
            then()

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/api/events",
        "raw_path": b"/api/events",
        "query_string": b"",
        "headers": [
            (b"host", HOME.partition("//")[2].encode()),
            (b"cookie", f"{door.cookie_name}={secret}".encode()),
        ],
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "state": {},
    }
    await asyncio.wait_for(app(scope, receive, send), 60)
    return sent[0]["status"]


def test_too_many_wrong_passwords_are_refused_and_told_how_long(asking):
    client = asking()
    for _ in range(MOST_TOGETHER):
        assert sign_in(client, password="x" * 20).status_code == 401
    answer = sign_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S
    assert sign_in(client, name="finn").status_code == 204


def test_trials_are_counted_for_a_name_and_for_an_address_and_forgotten_in_time():
    clock = [0.0]
    trials = Trials(now=lambda: clock[0])
    for number in range(MOST_PER_ADDRESS):
        assert trials.begin(f"user{number}", "1.1.1.1") == 0
    assert trials.begin("somebody", "1.1.1.1") == WINDOW_S
    assert trials.begin("somebody", "2.2.2.2") == 0
    clock[0] = WINDOW_S
    assert trials.begin("somebody", "1.1.1.1") == 0


def test_a_right_password_takes_its_trial_back():
    trials = Trials(now=lambda: 0.0)
    for _ in range(MOST_TOGETHER * 3):
        assert trials.begin("eve", "1.1.1.1") == 0
        trials.succeed("eve", "1.1.1.1")


def test_who_tries_countless_names_from_countless_addresses_fills_no_memory():
    trials = Trials(now=lambda: 0.0)
    for _ in range(MOST_TOGETHER):
        trials.begin("ada", "9.9.9.9")
    for number in range(20_000):
        trials.begin(f"u{number}", f"a{number}")
    assert len(trials._failed) < 11_000
    assert trials.begin("ada", "9.9.9.9") > 0, "those who tried most are not forgotten"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.com",
        "/\\evil.com",
        "/%0d%0aLocation:https://evil.com",
        "/https:evil.com",
        "/x//evil",
        "/login?next=//evil.com",
        "/?next=https://evil.com",
        "/runs/20261101-120000-0001",
    ],
)
def test_no_address_leads_anywhere_else(asking, path):
    """Signing in happens in the place of what was asked for, so nothing is ever redirected."""
    for name in ("", "eve"):
        answer = asking(name).get(HOME + path, headers={"accept": "text/html"})
        assert answer.status_code in (200, 401, 404)
        assert not {"location", "refresh"} & set(answer.headers)


def test_the_page_is_there_for_whoever_is_to_sign_in_and_nothing_else_is(asking):
    stranger = asking()
    assert stranger.get("/runs").status_code == stranger.get("/").status_code == 200
    for path in ("/docs", "/api/session", "/api/", "/api/openapi.json", "/x/../api/session"):
        assert stranger.get(path).status_code == 401, path


@pytest.mark.parametrize("host", HOSTS_OF_OTHERS)
def test_a_request_to_another_name_is_refused(asking, host):
    headers = {"host": host, "x-forwarded-host": HOME}
    assert asking("ada").get("/api/session", headers=headers).status_code == 403
    assert asking().get("/", headers=headers).status_code == 403
    assert sign_in(asking(), headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ORIGINS_OF_OTHERS)
def test_another_page_can_neither_sign_in_nor_ask(asking, origin):
    assert sign_in(asking(), headers={"origin": origin}).status_code == 403
    answer = asking("eve").get("/api/pipelines", headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_signing_in_by_a_form_of_another_page_is_refused(asking, kind):
    assert sign_in(asking(), headers={"content-type": kind}).status_code == 415


def test_the_token_of_the_machines_owner_opens_nothing_here(asking, access):
    client = asking()
    client.cookies.set(access.cookie_name, access.cookie)
    headers = {"authorization": f"Bearer {access.token}"}
    assert client.get("/api/session", headers=headers).status_code == 401
    assert "set-cookie" not in client.get("/", params={"token": access.token}).headers


def test_a_program_sends_the_secret_of_a_session_and_needs_no_page(asking, people):
    client = asking()
    client.headers.pop("origin")
    headers = {"authorization": f"Bearer {session_of(people, 'eve')}"}
    assert client.post("/api/pipelines", headers=headers, json={}).status_code == 422


def test_behind_a_proxy_only_its_address_is_ours_and_cookies_never_leave_https(shared, door):
    app = create_app(shared, dataclasses.replace(door, site=Site.of([PUBLIC])))
    with TestClient(app, base_url=PUBLIC, client=("127.0.0.1", 1)) as client:
        client.headers.update({"origin": PUBLIC, "x-forwarded-for": "9.9.9.9, 203.0.113.7"})
        answer = sign_in(client)
        assert answer.status_code == 204
        assert "Secure" in answer.headers["set-cookie"]
        plain = {"origin": PUBLIC.replace("https", "http")}
        assert sign_in(client, headers=plain).status_code == 403
        assert client.get("/api/session", headers={"host": "127.0.0.1:8460"}).status_code == 403
    (deed,) = shared.people.activity.newest()
    assert deed.address == "203.0.113.7", "what the proxy itself saw, not what it was told"


def test_a_stranger_cannot_send_much(asking):
    big = sign_in(asking(), password="x" * 20_000)
    assert big.status_code == 413
    deep = asking("eve").post("/api/check", content="[" * 100_000)
    assert 400 <= deep.status_code < 500
    huge = asking("eve").post("/api/check", content=b"x", headers={"content-length": "9" * 12})
    assert huge.status_code == 413


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8460", NetworkPlace("127.0.0.1", 8460)),
        ("[::1]:80", NetworkPlace("::1", 80)),
        ("studio:1", NetworkPlace("studio", 1)),
    ],
)
def test_a_place_to_listen_is_an_address_and_a_port(text, expected):
    assert NetworkPlace.of(text) == expected


@pytest.mark.parametrize("text", ["", "8460", ":8460", "a:", "a:-1", "a:65536", "::1:80", "a:x"])
def test_what_is_no_place_to_listen_is_refused(text):
    with pytest.raises(ParameterParsingError, match="no place to listen"):
        NetworkPlace.of(text)


def test_who_listens_on_every_address_must_say_which_one_people_use():
    with pytest.raises(ParameterParsingError, match="every address"):
        NetworkPlace.of("0.0.0.0:8460").require_one_address()


@pytest.mark.parametrize(
    "origin", ["evil", "https://a/b", "https://u@a", "ftp://a", "https://a:99999", "https://a?b"]
)
def test_what_is_no_address_of_a_studio_is_refused(origin):
    with pytest.raises(ParameterParsingError, match="no address"):
        Site.of([origin])


def test_a_usual_port_is_left_out_as_browsers_do():
    origins = Site.of(["https://a:443", "http://A:80", "http://a:8460/"])
    assert origins.origins == ("https://a", "http://a", "http://a:8460")


def test_a_page_that_only_stays_open_keeps_nobody_signed_in(people, studio):
    clock = [1_000_000.0]
    sessions = Sessions(studio.engine.workspace.people, people.users, now=lambda: clock[0])
    secret = sessions.begin("eve", people.users.find("eve"))
    for _ in range(3):
        clock[0] += IDLE_S / 2 - 1
        is_in = sessions.person(secret, is_use=False) is not None
    assert not is_in


def test_the_session_of_a_page_is_read_once_for_all_that_it_follows(shared, people, monkeypatch):
    asked = []
    person = Sessions.person
    monkeypatch.setattr(
        Sessions,
        "person",
        lambda self, secret, **named: asked.append(secret) or person(self, secret, **named),
    )
    secret = session_of(people, "eve")
    found = people.sessions.person(secret, is_use=False)
    may_follow = event_routes._permission(shared, Visitor(found, is_program=False, secret=secret))
    asked.clear()
    assert may_follow([f"gone 20261101-120000-{number:04}" for number in range(50)])
    assert asked == [secret]
    people.sessions.end(secret)
    assert not may_follow(["runs viewer eve"])
