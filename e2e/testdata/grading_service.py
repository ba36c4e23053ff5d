"""A HubOAuthenticated service: whoever may access it is told who they are."""

import json
import os
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler, authenticated

prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]


class Grades(HubOAuthenticated, RequestHandler):
    @authenticated
    def get(self):
        self.write({"hello": self.get_current_user()["name"]})

    @authenticated
    def post(self):
        self.write({"graded": json.loads(self.request.body)})


app = Application(
    [(prefix, Grades), (prefix + "oauth_callback", HubOAuthCallbackHandler)],
    cookie_secret=os.urandom(32),
)
url = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
app.listen(url.port, url.hostname)
IOLoop.current().start()
