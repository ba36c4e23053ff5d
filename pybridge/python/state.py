"""What the bridge knows: the configuration, the facts about the hub, and the objects that live here."""

import importlib
import inspect
import logging

from . import evaluate

LOG = logging.getLogger("JupyterHub")


class Users(dict):
    """The users that the hub told of, by name. Plug-ins have it as JupyterHub's, which deletes users of the hub as well."""

    def delete(self, key):
        import asyncio

        async def tell():
            try:
                await WORLD.channel.ask("delete_user", {"user": name})
            except Exception as e:
                LOG.error("delete user %s for a plug-in: %s", name, e)
            finally:
                self.telling.discard(task)

        name = getattr(key, "name", key)
        self.pop(name, None)
        task = asyncio.ensure_future(tell())
        self.telling.add(task)  # or it could be collected while it runs

    telling = set()


class World:
    """One per process."""

    def __init__(self):
        self.tree = evaluate.Tree()  # what the file set
        self.config = None  # the same as a traitlets Config, once somebody needs it
        self.overrides = []  # [class, trait, texts] of the command line
        self.facts = {}  # see Facts in setup.go
        self.channel = None
        self.authenticator = None  # a real one, or a stand-in for hooks
        self.spawner_class = None  # None: the hub's own spawner, hooks get a stand-in
        self.users = Users()
        self.spawners = {}  # (user, server) -> spawner


WORLD = World()


async def settle(value):
    """The value, or what an awaitable or a Future of it gives."""
    if inspect.isawaitable(value):
        return await value
    if hasattr(value, "add_done_callback") and hasattr(value, "result"):
        import asyncio

        return await asyncio.wrap_future(value)
    return value


def traitlets_config():
    """The configuration as plug-ins expect it."""
    if WORLD.config is None:
        from traitlets.config import Config

        config = Config()
        fill(config, WORLD.tree)
        add_overrides(config)
        WORLD.config = config
    return WORLD.config


def fill(config, tree):
    from traitlets.config.loader import LazyConfigValue

    for key, value in tree.items():
        if evaluate.is_section(key):
            fill(config[key], value)
        elif isinstance(value, evaluate.Change):
            if value.empty():
                continue
            lazy = LazyConfigValue()
            lazy.extend(value.back)
            lazy.prepend(value.front)
            for index, item in value.inserts:
                lazy.insert(index, item)
            if value.merged is not None:
                lazy.update(value.merged)
            config[key] = lazy
        else:
            config[key] = value


def add_overrides(config):
    try:
        from traitlets.config.loader import DeferredConfigList, DeferredConfigString
    except ImportError:  # traitlets before 5
        DeferredConfigList, DeferredConfigString = list, str
    for section, trait, texts in WORLD.overrides:
        config[section][trait] = DeferredConfigString(texts[0]) if len(texts) == 1 else DeferredConfigList(texts)


def import_name(path):
    """module.Name, module:Name, or a dotted name inside of a class."""
    module, sep, name = path.partition(":")
    if sep:
        value = importlib.import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        return value
    parts = path.split(".")
    for i in range(len(parts) - 1, 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:i]))
        except ModuleNotFoundError as e:
            if e.name and (".".join(parts[:i]) == e.name or ".".join(parts[:i]).startswith(e.name + ".")) and i > 1:
                continue
            raise
        for part in parts[i:]:
            value = getattr(value, part)
        return value
    raise ImportError("%r is neither a registered name nor a dotted path to a class" % path)


def entry_point(group, name):
    """A plug-in that a package of this environment registered; None when there is none."""
    from importlib import metadata

    try:
        found = metadata.entry_points(group=group)
    except TypeError:  # Python before 3.10
        found = metadata.entry_points().get(group, [])
    for point in found:
        if point.name.lower() == name.lower():
            return point.load()
    return None


def find_class(kind, given):
    """The class that authenticator_class or spawner_class names: a class object, an entry point or a dotted path."""
    section = WORLD.tree.get("JupyterHub", {})
    value = section.get(kind + "_class") if isinstance(section, dict) else None
    for section_name, trait, texts in WORLD.overrides:
        if section_name == "JupyterHub" and trait == kind + "_class":
            value = texts[-1]
    if inspect.isclass(value):
        return value
    text = value if isinstance(value, str) else given
    return entry_point("jupyterhub.%ss" % kind, text) or import_name(text)


def configured(chain, trait, missing=None):
    """The value of a trait in the sections of a built-in class, the closest first."""
    for name in chain:
        section = WORLD.tree.get(name)
        if isinstance(section, dict) and dict.__contains__(section, trait):
            value = dict.__getitem__(section, trait)
            if not isinstance(value, evaluate.Change):
                return value
    return missing


def hub_trait(trait, missing=None):
    return configured(["JupyterHub"], trait, missing)
