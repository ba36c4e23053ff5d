# ruff: noqa: F821  (c is the name that traitlets gives the file)
# A hub in a cluster, configured as Zero to JupyterHub does it: a helper module reads the chart's values, traits are set
# from them in loops, KubeSpawner gets templates, volumes, labels and profiles, and pieces of Python come last.
import os
import sys

from kubernetes_asyncio import client
from tornado.httpclient import AsyncHTTPClient
from traitlets import Undefined  # noqa: F401  (pieces of extraConfig use it)

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

from z2jh import camel_case, get_config, set_config_if_not_none  # noqa: E402

AsyncHTTPClient.configure("tornado.simple_httpclient.SimpleAsyncHTTPClient", max_clients=64)

release = get_config("Release.Name")
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"

# the proxy is a deployment of its own
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
c.ConfigurableHTTPProxy.should_start = False
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 60
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}

c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"

for trait in ("concurrent_spawn_limit", "active_server_limit", "base_url", "allow_named_servers", "named_server_limit_per_user", "redirect_to_server", "shutdown_on_logout"):
    set_config_if_not_none(c.JupyterHub, trait, "hub." + camel_case(trait))
set_config_if_not_none(c.Spawner, "consecutive_failure_limit", "hub.consecutiveFailureLimit")

# pods
c.KubeSpawner.pod_name_template = "jupyter-{user_server}"
c.KubeSpawner.image = "%s:%s" % (get_config("singleuser.image.name"), get_config("singleuser.image.tag"))
for trait, key in (
    ("cmd", "cmd"),
    ("default_url", "defaultUrl"),
    ("start_timeout", "startTimeout"),
    ("image_pull_policy", "image.pullPolicy"),
    ("uid", "uid"),
    ("fs_gid", "fsGid"),
    ("service_account", "serviceAccountName"),
    ("mem_limit", "memory.limit"),
    ("mem_guarantee", "memory.guarantee"),
    ("cpu_limit", "cpu.limit"),
    ("cpu_guarantee", "cpu.guarantee"),
    ("extra_labels", "extraLabels"),
    ("environment", "extraEnv"),
    ("node_selector", "nodeSelector"),
    ("profile_list", "profileList"),
):
    set_config_if_not_none(c.KubeSpawner, trait, "singleuser." + key)

c.KubeSpawner.common_labels = {"app": get_config("Chart.Name"), "release": release}
c.KubeSpawner.namespace = os.environ.get("POD_NAMESPACE", "default")

if get_config("scheduling.userScheduler.enabled"):
    c.KubeSpawner.scheduler_name = release + "-user-scheduler"
if get_config("scheduling.userPods.nodeAffinity.matchNodePurpose") == "prefer":
    c.KubeSpawner.node_affinity_preferred.append(
        {
            "weight": 100,
            "preference": {"matchExpressions": [{"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}]},
        }
    )

# storage
c.KubeSpawner.volumes = get_config("singleuser.storage.extraVolumes", [])
c.KubeSpawner.volume_mounts = get_config("singleuser.storage.extraVolumeMounts", [])
if get_config("singleuser.storage.type") == "dynamic":
    c.KubeSpawner.pvc_name_template = get_config("singleuser.storage.dynamic.pvcNameTemplate")
    c.KubeSpawner.storage_pvc_ensure = True
    set_config_if_not_none(c.KubeSpawner, "storage_class", "singleuser.storage.dynamic.storageClass")
    set_config_if_not_none(c.KubeSpawner, "storage_access_modes", "singleuser.storage.dynamic.storageAccessModes")
    set_config_if_not_none(c.KubeSpawner, "storage_capacity", "singleuser.storage.capacity")
    home = get_config("singleuser.storage.dynamic.volumeNameTemplate")
    c.KubeSpawner.volumes.append({"name": home, "persistentVolumeClaim": {"claimName": "{pvc_name}"}})
    c.KubeSpawner.volume_mounts.append({"name": home, "mountPath": get_config("singleuser.storage.homeMountPath")})


async def labels(spawner, pod):
    """Functions of KubeSpawner's own traits get the pod."""
    pod.metadata.annotations = dict(pod.metadata.annotations or {}, owner=spawner.user.name)
    pod.spec.tolerations = [client.V1Toleration(key="users", operator="Exists")]
    return pod


c.KubeSpawner.modify_pod_hook = labels

# groups, roles, services
c.JupyterHub.load_groups = get_config("hub.loadGroups", {})
c.JupyterHub.load_roles = [dict(role, name=name) for name, role in get_config("hub.loadRoles", {}).items()]
c.JupyterHub.services = [{"name": "hub-health", "url": "http://hub-health"}]
if get_config("cull.enabled"):
    c.JupyterHub.load_roles.append(
        {
            "name": "jupyterhub-idle-culler",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["jupyterhub-idle-culler"],
        }
    )
    c.JupyterHub.services.append(
        {
            "name": "jupyterhub-idle-culler",
            "command": [os.environ.get("CULLER_PYTHON", sys.executable), "-m", "jupyterhub_idle_culler", "--timeout=%d" % get_config("cull.timeout"), "--cull-every=%d" % get_config("cull.every")],
        }
    )

# hub.config of the values: any class, any trait
for app, traits in get_config("hub.config", {}).items():
    if app == "KubeSpawner" or traits:
        c[app].update(traits)

# pieces of Python of the values, in the order of their names
for name, text in sorted(get_config("hub.extraConfig", {}).items()):
    print("Loading extra config:", name)
    exec(text)
