"""Prints class and trait of everything that can be configured in the jupyterhub package of this interpreter, one per line."""
from jupyterhub import app, auth, crypto, metrics, proxy, spawner
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from jupyterhub.httpclient import JupyterHubHTTPClient

CLASSES = [
    app.JupyterHub, auth.Authenticator, auth.LocalAuthenticator, auth.PAMAuthenticator, auth.DummyAuthenticator,
    SharedPasswordAuthenticator, auth.NullAuthenticator, spawner.Spawner, spawner.LocalProcessSpawner,
    spawner.SimpleLocalProcessSpawner, proxy.Proxy, proxy.ConfigurableHTTPProxy, crypto.CryptKeeper,
    metrics.PeriodicMetricsCollector, JupyterHubHTTPClient,
]
for cls in CLASSES:
    # what JupyterHub inherits from traitlets' Application counts as its own
    traits = cls.class_traits if cls is app.JupyterHub else cls.class_own_traits
    for name in sorted(traits(config=True)):
        print(cls.__name__, name, sep="\t")
