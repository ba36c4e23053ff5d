"""Reads the values of the chart. A module beside jupyterhub_config.py, as the chart's image has one."""

import os
from functools import lru_cache

import yaml


@lru_cache
def values():
    path = os.environ.get("LAB_VALUES") or os.path.join(
        os.path.dirname(__file__), "values.yaml"
    )
    with open(path) as f:
        return yaml.safe_load(f)


def get_config(key, default=None):
    """The value at a dotted key; what is null or missing gives the default."""
    found = values()
    for part in key.split("."):
        if not isinstance(found, dict) or found.get(part) is None:
            return default
        found = found[part]
    return found


def set_config_if_not_none(section, trait, key):
    value = get_config(key)
    if value is not None:
        setattr(section, trait, value)


def camel_case(text):
    first, *rest = text.split("_")
    return first + "".join(word.title() for word in rest)
