"""Who is let in (S08, S09, S10, S15)."""

import stat

import pytest
from fastapi.routing import APIRoute

from imageloom.server.access import Access, read_or_make_token

from .conftest import HOME, PORT, TOKEN

HOSTS_OF_OTHERS = [
    "evil.com",
    f"evil.com:{PORT}",
    f"localhost.evil.com:{PORT}",
    f"127.0.0.1.nip.io:{PORT}",
    f"0.0.0.0:{PORT}",
    f"[::]:{PORT}",
    f"LOCALHOST.:{PORT}",
    f"127.0.0.1:{PORT + 1}",
    "127.0.0.1",
    "",
]
ORIGINS_OF_OTHERS = [
    "null",
    f"http://127.0.0.1:{PORT + 1}",
    f"https://127.0.0.1:{PORT}",
    f"http://127.0.0.1:{PORT}.evil.com",
    f"http://evil127.0.0.1:{PORT}",
    "http://evil.com",
    "",
]


def routes(app):
    """Every method and address of the API, with something in the place of each parameter."""
    found = []
    waiting = list(app.routes)
    while waiting:
        one = waiting.pop()
        if isinstance(one, APIRoute):
            path = one.path_format.format(**dict.fromkeys(one.param_convertors, "x"))
            found += [(method, path) for method in one.methods]
        waiting += getattr(one, "routes", None) or []
        router = getattr(one, "original_router", None)
        if router is not None:
            prefix = one.include_context.prefix
            found += [
                (
                    method,
                    prefix + route.path_format.format(**dict.fromkeys(route.param_convertors, "x")),
                )
                for route in router.routes
                for method in route.methods
            ]
    return sorted(set(found))


def test_without_the_token_no_address_answers(stranger):
    asked = routes(stranger.app)
    assert len(asked) > 20
    for method, path in asked:
        answer = stranger.request(method, path, headers={"content-type": "application/json"})
        assert (answer.status_code, method, path) == (401, method, path)


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü"])
def test_a_wrong_token_signs_nobody_in(stranger, token):
    answer = stranger.get("/", params={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_first_link_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(stranger):
    answer = stranger.get("/runs/last", params={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/last")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert stranger.get("/api/session").status_code == 200


@pytest.mark.parametrize("path", ["//evil.com", "/\\evil.com", "/api/session"])
def test_the_first_link_leads_nowhere_else(stranger, path):
    answer = stranger.get(HOME + path, params={"token": TOKEN})
    assert answer.status_code == 401


@pytest.mark.parametrize("host", HOSTS_OF_OTHERS)
def test_a_request_to_another_name_is_refused(page, host):
    answer = page.get("/api/session", headers={"host": host, "x-forwarded-host": HOME})
    assert answer.status_code == 403
    assert page.get("/", params={"token": TOKEN}, headers={"host": host}).status_code == 403


def test_two_host_headers_are_refused(page):
    two = [("host", f"127.0.0.1:{PORT}"), ("host", f"127.0.0.1:{PORT}")]
    assert page.get("/api/session", headers=two).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_all_names_of_this_machine_are_ours(page, name):
    page.headers.pop("origin")
    assert page.get("/api/session", headers={"host": f"{name}:{PORT}"}).status_code == 200


@pytest.mark.parametrize("origin", ORIGINS_OF_OTHERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_of_another_page_is_refused(page, origin, method):
    answer = page.request(method, "/api/pipelines", headers={"origin": origin}, content="{}")
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_a_browser_calls_foreign_is_refused(page, site):
    assert page.get("/api/session", headers={"sec-fetch-site": site}).status_code == 403


def test_a_change_must_say_where_it_comes_from(page):
    page.headers.pop("origin")
    assert page.post("/api/pipelines", content="{}").status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_change_must_be_json(page, kind):
    answer = page.post("/api/pipelines", content="{}", headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_program_sends_the_token_and_needs_no_page(stranger):
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert stranger.get("/api/session", headers=headers).status_code == 200
    assert stranger.post("/api/pipelines", headers=headers, json={}).status_code == 422


def test_a_browser_is_told_in_words_what_to_open(stranger):
    answer = stranger.get("/", headers={"accept": "text/html"})
    assert answer.status_code == 401
    assert "needs the link" in answer.text


def test_nothing_changes_by_get(page):
    methods = {method for method, path in routes(page.app) if path.endswith(("cancel", "resume"))}
    assert methods == {"POST"}


def test_the_token_is_kept_for_its_owner_alone(tmp_path):
    file = tmp_path / "studio" / "token"
    token = read_or_make_token(file)
    assert len(token) >= 43  # 256 bits in base 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_or_make_token(file) == token


def test_a_token_that_others_could_read_is_not_used_again(tmp_path):
    file = tmp_path / "token"
    token = read_or_make_token(file)
    file.chmod(0o644)
    assert read_or_make_token(file) != token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_cookie_of_another_port_is_not_ours():
    one, other = Access("a" * 43, 1), Access("a" * 43, 2)
    assert one.cookie_name != other.cookie_name
