"""Tests of idle_service.py with the fixtures of minihub's pytest plugin."""

import pytest

from minihub import HubError
from minihub.client import call


def visit(hub, token):
    return call(hub.url + "services/idle/", token=token)


def test_nobody_is_idle_at_first(minihub):
    assert visit(minihub, minihub.tokens["ann"]) == {"asked_by": "ann", "idle": []}


def test_after_two_hours_who_did_nothing_is_idle(minihub):
    minihub.api("bob").get("/user")  # bob was here
    minihub.advance("2h")
    answer = visit(minihub, minihub.tokens["ann"])
    assert "bob" in answer["idle"]
    assert "ann" not in answer["idle"], "she asks just now"


@pytest.mark.parametrize(
    "token, why",
    [("", "show a token"), ("0123456789abcdef", "does not know this token"), ("bob", "may not use this service")],
)
def test_strangers_are_refused(minihub, token, why):
    with pytest.raises(HubError) as refused:
        visit(minihub, minihub.tokens.get(token, token))
    assert refused.value.status == 403
    assert why in refused.value.message


def test_a_failing_hub_is_no_reason_to_refuse(minihub):
    minihub.fail_api(status=503, path="/hub/api/user", times=1)
    with pytest.raises(HubError) as failed:
        visit(minihub, minihub.tokens["ann"])
    assert failed.value.status == 502
    assert visit(minihub, minihub.tokens["ann"])["asked_by"] == "ann"
