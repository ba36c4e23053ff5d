"""The child's main loop: evaluates the configuration, answers the hub's calls, ends with the hub."""

import asyncio
import logging
import signal
import sys

from . import authn, evaluate, facade, pages, spawners
from .state import LOG, WORLD, find_class, hub_trait, settle
from .wire import Channel, Records, Unfit, decode, leave, watch


async def load(args, stream):
    """Evaluate the file, or take the sections of a file that is not Python."""
    WORLD.overrides = args.get("overrides") or []
    if not args.get("path"):
        for name, section in (args.get("sections") or {}).items():
            for trait, value in section.items():
                WORLD.tree[name][trait] = decode(value)
        return {"sections": {}, "lines": {}}
    try:
        evaluate.run_file(args["path"], WORLD.tree)
        return Ready(evaluate.collect(WORLD.tree))
    except (Exception, SystemExit, KeyboardInterrupt) as e:
        return Ready({"error": evaluate.describe_error(e)})


class Ready(dict):
    """An answer that is encoded already."""

    encoded = True


async def setup(args, stream):
    """Take the facts about the hub and make the authenticator; find the spawner class."""
    WORLD.facts = args["facts"]
    LOG.setLevel(WORLD.facts.get("log_level") or logging.INFO)
    out = {}
    step = "authenticator_class"
    try:
        if args.get("authenticator"):
            authn.make(args["authenticator"])
            if args["authenticator"].get("python"):
                authn.remember(args.get("users") or [])
                out["authenticator"] = authn.about()
        step = "spawner_class"
        spawners.choose(args.get("spawner") or {})
        if WORLD.spawner_class is not None:
            out["spawner"] = spawners.about()
        step = "extra_handlers"
        out["pages"] = pages.start()
    except Exception as e:
        e.jupyterhub_message = step
        raise
    watch(asyncio.get_running_loop())
    try:
        from jupyterhub import __version__

        out["jupyterhub"] = __version__
    except Exception:
        pass
    return out


async def find(args, stream):
    """Import a class, to tell early that it cannot be."""
    cls = find_class(args["kind"], args["given"])
    if not isinstance(cls, type):
        raise Unfit("%r is no class" % (args["given"],))
    return "%s.%s" % (cls.__module__, cls.__qualname__)


async def call_trait(args, stream):
    """Call a function that a trait of JupyterHub holds."""
    name, user, handler = args["trait"], facade.user(args.get("user")), facade.handler(args.get("request"))
    function = hub_trait(name)
    if name == "template_vars":
        return await settle(function[args["key"]](user))
    if name == "user_redirect_hook":
        return await settle(function(args["path"], handler.request, user, WORLD.facts.get("base_url", "/")))
    if name == "subdomain_hook":
        return await settle(function(args["name"], args["domain"], args["kind"]))
    return await settle(function(handler))


async def echo(args, stream):
    return args


OPS = {"load": load, "setup": setup, "call": call_trait, "echo": echo, "find": find}
OPS.update(authn.OPS)
OPS.update(spawners.OPS)


async def dispatch(op, args, stream):
    found = OPS.get(op)
    if found is None:
        raise Unfit("the bridge has no operation %r" % op)
    return await found(decode(args), stream)


async def serve(sock):
    channel = WORLD.channel = Channel(sock, dispatch)
    root = logging.getLogger()
    root.addHandler(Records(channel))
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    await channel.serve()


def run(sock):
    # The hub decides when to end: a service manager sends TERM to every process, and servers have to be stopped first.
    # (A function, because servers started from here would inherit SIG_IGN.)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(serve(sock))
    finally:
        leave()
