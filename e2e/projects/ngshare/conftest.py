"""ngshare's own tests, which replace its questions to the hub by MockAuth, with the questions put back: to minihub's fixture.

The tests say ?user=NAME. MockAuth believes it; here that name's token is shown to the hub, by ngshare's own code.
"""

import ngshare.ngshare
import pytest

asks_the_hub = ngshare.ngshare.MyRequestHandler.user_for_token
believes = ngshare.ngshare.MockAuth.user_for_token


@pytest.fixture(scope="session", autouse=True)
def users_of_the_hub(minihub_session):
    answered = []

    def get_current_token(self):
        name = believes(self, None)["name"]
        return minihub_session.api(name).token

    def user_for_token(self, token):
        self.settings["user_url"] = minihub_session.api_url + "/user"
        user = asks_the_hub(self, token)
        answered.append(user["name"])
        return user

    patch = pytest.MonkeyPatch()
    patch.setattr(ngshare.ngshare.MockAuth, "get_current_token", get_current_token)
    patch.setattr(ngshare.ngshare.MockAuth, "user_for_token", user_for_token)
    yield
    patch.undo()
    assert len(answered) > 100, f"the hub was asked {len(answered)} times: were the tests run?"
    assert {"kevin", "abigail"} <= set(answered)
