"""Who may ask for what: every route, by every role (S10)."""

import pytest
from fastapi import APIRouter, Depends

from imageloom.server.needs import admit

from .conftest import ROLES, all_operations

ORDER = ["viewer", "editor", "admin"]
STREAM = "/api/events"
OPEN = {("POST", "/api/session/sign-in")}
NEEDED = {
    "viewer": {
        "GET /api/session",
        "POST /api/session/sign-out",
        "PUT /api/session/password",
        "GET /api/targets",
        "GET /api/components",
        "POST /api/check",
        "GET /api/pipelines",
        "GET /api/pipelines/templates",
        "GET /api/pipelines/{draft_id}",
        "GET /api/pipelines/{draft_id}/ownership",
        "GET /api/pipelines/{draft_id}/versions",
        "GET /api/pipelines/{draft_id}/versions/{version}",
        "GET /api/pipelines/{draft_id}/versions/{version}/file",
        "GET /api/uploads",
        "GET /api/runs",
        "GET /api/runs/{run_id}",
        "GET /api/runs/{run_id}/report",
        "GET /api/runs/{run_id}/nodes/{node}/report",
        "GET /api/runs/{run_id}/nodes/{node}/evaluation",
        "GET /api/runs/{run_id}/nodes/{node}/pictures",
        "GET /api/runs/{run_id}/nodes/{node}/pictures/{row}/thumbnail",
        "GET /api/thumbnails/{name}",
        "GET /api/maps/{name}",
        "GET /api/runs/{run_id}/nodes/{node}/model-card",
        "GET /api/runs/{run_id}/nodes/{node}/model-card/file",
        "GET /api/comparison",
        "GET /api/comparison/pictures",
        "GET /api/runs/{run_id}/nodes/{node}/model",
        "GET /api/runs/{run_id}/nodes/{node}/thresholds",
        "GET /api/runs/{run_id}/nodes/{node}/pictures/{row}/explanation",
        "GET /api/runs/{run_id}/nodes/{node}/pictures/{row}/alike",
        "PUT /api/runs/{run_id}/nodes/{node}/dropped",
        "GET /api/runs/{run_id}/nodes/{node}/dropped/{picture}/explanation",
        "GET /api/runs/{run_id}/nodes/{node}/dropped/{picture}/alike",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/pictures",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/pictures/{row}/thumbnail",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/pictures/{row}/seen",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/left-out",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/duplicates",
        "GET /api/runs/{run_id}/nodes/{node}/images/{port}/duplicates/sets",
        "GET /api/runs/{run_id}/nodes/{node}/series",
        "GET /api/runs/{run_id}/nodes/{node}/series/points",
        "GET /api/runs/{run_id}/nodes/{node}/series/file",
        "GET /api/runs/{run_id}/nodes/{node}/logs",
        "GET /api/runs/{run_id}/nodes/{node}/logs/{label}",
        "GET /api/runs/{run_id}/nodes/{node}/logs/{label}/search",
        "GET /api/runs/{run_id}/nodes/{node}/logs/{label}/file",
        "GET /api/events",
        "GET /api/events/now",
    },
    "editor": {
        "POST /api/pipelines",
        "POST /api/pipelines/templates/{name}",
        "PUT /api/pipelines/{draft_id}",
        "PUT /api/pipelines/{draft_id}/shared",
        "DELETE /api/pipelines/{draft_id}",
        "GET /api/places",
        "GET /api/places/description",
        "GET /api/places/left-out",
        "POST /api/uploads",
        "GET /api/uploads/{upload_id}",
        "PUT /api/uploads/{upload_id}/parts/{offset}",
        "POST /api/uploads/{upload_id}/finish",
        "DELETE /api/uploads/{upload_id}",
        "PUT /api/uploads/finished/{name}/shared",
        "DELETE /api/uploads/finished/{name}",
        "POST /api/runs",
        "POST /api/runs/{run_id}/nodes/{node}/images/{port}/duplicates",
        "DELETE /api/runs/{run_id}/nodes/{node}/images/{port}/duplicates",
        "POST /api/runs/{run_id}/nodes/{node}/images/{port}/corrections",
        "POST /api/runs/{run_id}/cancel",
        "POST /api/runs/{run_id}/resume",
        "PUT /api/runs/{run_id}/shared",
        "DELETE /api/runs/{run_id}",
        "GET /api/bin",
        "POST /api/bin/{entry}/restore",
        "DELETE /api/bin/{entry}",
    },
    "admin": {
        "GET /api/users",
        "POST /api/users",
        "PUT /api/users/{name}/role",
        "PUT /api/users/{name}/password",
        "DELETE /api/users/{name}",
        "GET /api/activity",
    },
}


def own_operations(app):
    """Return the operations of our own routers, with something in the place of each parameter."""
    return [
        (method, path, path.format(**dict.fromkeys(route.param_convertors, "1")))
        for method, path, route in all_operations(app)
        if not path.endswith("openapi.json")
    ]


def test_the_router_has_the_routes_that_are_listed_here_and_no_others(app):
    listed = {tuple(one.split(" ")) for some in NEEDED.values() for one in some} | OPEN
    assert {(method, path) for method, path, _ in own_operations(app)} == listed


@pytest.mark.parametrize("name", ROLES)
def test_each_role_may_ask_for_what_is_listed_and_for_nothing_else(app, asking, name):
    user = asking(name)
    have = ORDER.index(ROLES[name])
    for method, path, address in own_operations(app):
        if path in (STREAM, "/api/session/sign-out") or (method, path) in OPEN:
            continue
        needed = next(role for role, some in NEEDED.items() if f"{method} {path}" in some)
        answer = user.request(method, address, json={} if method != "GET" else None)
        is_refused = answer.status_code == 403
        assert is_refused is (have < ORDER.index(needed)), (method, path, answer.text)
        if is_refused:
            assert answer.json()["error"]["reason"] == "role"


def test_without_a_session_every_route_but_that_of_signing_in_answers_401(app, asking):
    stranger = asking()
    for method, path, address in own_operations(app):
        answer = stranger.request(method, address, json={} if method != "GET" else None)
        expected = 422 if (method, path) in OPEN else 401
        assert (answer.status_code, method, path) == (expected, method, path)
    assert stranger.get("/docs").status_code == 401
    assert stranger.get("/api/openapi.json").status_code == 401


def test_a_route_that_does_not_say_what_it_needs_is_answered_to_nobody(app, asking):
    router = APIRouter()
    router.add_api_route("/forgotten", lambda: "secret")
    app.include_router(router, prefix="/api", dependencies=[Depends(admit)])
    app.router.routes.insert(0, app.router.routes.pop())  # before the page, which has all addresses
    answer = asking("ada").get("/api/forgotten")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (403, "role")


def test_users_and_their_page_are_no_part_of_a_studio_with_one_owner(page):
    answer = page.get("/api/users")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "no-people")
    assert page.get("/api/session").json()["has_people"] is False
    assert page.post("/api/session/sign-in", json={"name": "a", "password": "b"}).status_code == 404
